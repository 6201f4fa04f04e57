#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/learning/data/random.hpp"
#include "protocol/identity.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"
#include "protocol/records.hpp"
#include "sim/faults/payloads.hpp"
#include "sim/virtual/virtual_network.hpp"

namespace unlearn::sim::faults {

/// A member with a key of its own that breaks every rule it can. It speaks bytes and has no engine.
class HostilePeer final : private network::TransportHandler {
  public:
    struct World {
        virtual_world::VirtualTime& time;
        virtual_world::VirtualNetwork& network;
        Payloads& payloads;
        protocol::NetworkId network_id;
        /// Nodes whose names are abused. Their keys are used only for statements to *other* networks.
        std::vector<const protocol::Identity*> honest;
        /// Returns a message that was overheard, if there is one.
        std::function<std::optional<protocol::Message>()> overheard;
        std::function<void(const protocol::NodeId&)> exit_signed;
    };

    HostilePeer(World world, protocol::Identity identity, std::optional<protocol::SignedBytes> membership,
                std::uint64_t seed);

    [[nodiscard]] const protocol::NodeId& id() const { return identity_.id(); }
    void start(std::vector<protocol::PeerAddress> victims);
    /// Makes one more attack.
    void attack();
    void stop();

    /// How many attacks of each kind were made.
    [[nodiscard]] const std::map<std::string, std::uint64_t>& attacks() const { return attacks_; }

  private:
    struct Attack {
        std::string name;
        std::function<void(HostilePeer&, network::SessionId)> run;
    };
    struct Session {
        protocol::NodeId peer;
        std::array<std::uint64_t, protocol::kLanes> sequence{};
    };

    void on_link_up(network::SessionId session, const protocol::NodeId& peer) override;
    void on_link_down(network::SessionId session) override { sessions_.erase(session); }
    void on_message(network::SessionId session, const protocol::CurvePublicKey& key,
                    network::Frames frames) override;
    void on_malformed(network::SessionId session, const protocol::CurvePublicKey&, std::string) override {
        sessions_.erase(session);
    }

    void say(network::SessionId session, protocol::Message message);
    void say_raw(network::SessionId session, network::Frames frames);
    void offer(network::SessionId session, std::uint64_t version, bool other_record);
    [[nodiscard]] network::SessionId any_session();
    [[nodiscard]] const protocol::Identity& any_honest();
    [[nodiscard]] protocol::Bytes noise(std::size_t most);

    void forge_exit(network::SessionId session);
    void exit_of_other_network(network::SessionId session);
    void exit_of_twin(network::SessionId session);
    void flood_of_unknown(network::SessionId session);
    void hoarded_lease(network::SessionId session);
    void flood_of_queries(network::SessionId session);
    void answer_endlessly(network::SessionId session, const protocol::ExitQuery& query);
    void small_frames(network::SessionId session);
    void forge_seed(network::SessionId session);
    void say_hello_as_other(network::SessionId session);
    void replay(network::SessionId session);

    World world_;
    protocol::Identity identity_;
    std::optional<protocol::SignedBytes> membership_;
    learning::RandomStream random_;
    std::unique_ptr<virtual_world::VirtualTransport> transport_;
    std::vector<protocol::PeerAddress> victims_;
    std::map<network::SessionId, Session> sessions_;
    std::map<std::uint64_t, std::array<protocol::SharedSeedBytes, 2>> seeds_;
    std::uint64_t version_ = 1;
    std::uint64_t lease_number_ = 0;
    std::vector<protocol::SignedBytes> hoard_;  ///< leases kept for later
    bool exited_ = false;
    unsigned unknown_ = 0;
    bool floods_;  ///< sends more exits of unknown owners than a node takes from one peer
    std::map<std::string, std::uint64_t> attacks_;
};

}  // namespace unlearn::sim::faults
