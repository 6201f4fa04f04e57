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

/// What every connection of a studied network is like, in each direction.
///
/// **What loss means.** Nodes talk over TCP, which loses nothing: a lost packet is sent again and comes late.
/// `Lost::kPacket` is that. Each packet of 1,400 bytes is lost with probability `loss`, and again each time
/// it is resent, 200 ms later at first and then twice as long each time (RFC 6298's least timeout and
/// backoff; no fast retransmit, so this is on the slow side); a message is there when its last packet is, and
/// those sent after it wait for it, but for more urgent ones.
///
/// `Lost::kMessage` is harsher, and what connections that break and come back do: a message is gone for good
/// with probability `loss`, and nothing below the protocol sends it again, while the connection stays up. The
/// protocol recovers by itself: Hello is said again after 1 s; Get and Chunk after a stall of 3 s; the
/// owner's Exit after 0.5 s and then ever later, up to 60 s, until the receipt is there, and each brings a
/// lost Receipt again; an Exit that a node passes on is not repeated, but nodes compare the exits that they
/// know with a neighbour every 5 s; Ping until the connection counts as dead after 8 s of silence and is
/// dialled again. A lost announcement of a seed (Have) comes again with the next lease or connection only:
/// see NetworkStudySettings::lease_renewal.
struct LinkSettings {
    enum class Lost { kMessage, kPacket };

    double loss = 0.0;  ///< 0 to 1
    Lost lost = Lost::kMessage;
    std::chrono::milliseconds latency{20};  ///< mean time that a message takes, one way
    std::chrono::milliseconds jitter{5};    ///< takes up to so much more or less, uniformly; order is kept
    /// Of each direction of each connection. A message waits for those before it and for more urgent ones.
    std::optional<double> bytes_per_second;
};

/// Decides on messages for a VirtualNetwork. `time` must outlive it.
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
    /// Until when each lane of a direction has something to send.
    std::map<std::pair<protocol::NodeId, protocol::NodeId>,
             std::array<protocol::SteadyTime, protocol::kLanes>>
        busy_until_;
};

}  // namespace unlearn::sim::experiments
