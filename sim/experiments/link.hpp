#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "node/learning/data/random.hpp"
#include "protocol/messages.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim::experiments {

/// The properties of every connection of a studied network, in each direction.
///
/// **What loss means.** Nodes talk over TCP, which loses nothing: a lost packet is sent again and comes late.
/// `Lost::packet` models that. Each packet of 1,400 bytes is lost with probability `loss`, each time it is
/// sent. It is sent again after 200 ms at first, and then after twice as long each time (the least timeout
/// and the backoff of RFC 6298; there is no fast retransmit, so this is on the slow side). A message arrives
/// when its last packet does. Later messages wait for it, unless they are more urgent.
///
/// `Lost::message` is harsher. It is what happens when connections break and come back: a message is lost for
/// good with probability `loss`, nothing below the protocol sends it again, and the connection stays up. The
/// protocol recovers by itself. Hello is repeated after 1 s, Get and Chunk after a stall of 3 s. The owner
/// repeats its Exit after 0.5 s and then ever later, up to 60 s, until the receipt is there; each repetition
/// also brings a lost Receipt again. A node does not repeat an Exit that it passes on, but every 5 s nodes
/// compare the exits that they know with a neighbour. Ping is repeated until the connection counts as dead
/// after 8 s of silence and is dialled again. A lost announcement of a seed (Have) is repeated only with the
/// next lease or connection: see NetworkStudySettings::lease_renewal.
struct LinkSettings {
    enum class Lost { message, packet };

    double loss = 0.0;  ///< 0 to 1
    Lost lost = Lost::message;
    std::chrono::milliseconds latency{20};  ///< mean time of a message, one way
    std::chrono::milliseconds jitter{5};    ///< largest deviation from it, uniform; messages stay in order
    /// The bandwidth of each direction of each connection. A message waits for those before it and for more
    /// urgent ones. Without a value the bandwidth is unlimited.
    std::optional<double> bytes_per_second;
};

/// Decides how long messages of a VirtualNetwork take, and which are lost. `time` must outlive it.
class Link {
  public:
    Link(const LinkSettings& settings, const virtual_world::VirtualTime& time, std::uint64_t seed)
        : settings_(settings), time_(time), random_(seed) {}

    [[nodiscard]] protocol::SteadyTime latency();
    [[nodiscard]] virtual_world::Fate judge(const protocol::NodeId& from, const protocol::NodeId& to,
                                            const network::Frames& frames);

  private:
    [[nodiscard]] bool lost() { return random_.uniform() < settings_.loss; }
    [[nodiscard]] protocol::SteadyTime retransmissions(std::uint64_t bytes);
    [[nodiscard]] protocol::SteadyTime transmission(const protocol::NodeId& from, const protocol::NodeId& to,
                                                    protocol::Lane lane, std::uint64_t bytes);

    LinkSettings settings_;
    const virtual_world::VirtualTime& time_;
    learning::RandomStream random_;
    /// The time at which each lane of a direction has sent all its messages.
    std::map<std::pair<protocol::NodeId, protocol::NodeId>,
             std::array<protocol::SteadyTime, protocol::kLanes>>
        busy_until_;
};

}  // namespace unlearn::sim::experiments
