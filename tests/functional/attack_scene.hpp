#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "protocol/identity.hpp"
#include "protocol/messages.hpp"
#include "tests/support/fleet.hpp"
#include "tests/support/hostile_client.hpp"
#include "tests/support/temporary_folder.hpp"

namespace unlearn::testing {

/// Goes on until it is told that it is over.
using Attack = std::function<void(const std::stop_token& over)>;

/// A real `unlearnd` that is attacked while it goes on serving a real neighbour, which leaves in the middle
/// of it.
class AttackScene {
  public:
    /// With a network key, whoever shows a membership is let in.
    explicit AttackScene(bool with_network_key = false);

    /// Finds out what is usual: what memory and descriptors are compared with.
    void settle();
    /// A third node that will join during the attack.
    void expect_latecomer();
    /// Lives through an attack. Checks that predictions, seeds, a latecomer and an exit go on meanwhile, that
    /// memory stays below 1.5 times the usual, and that descriptors go back to what they were.
    void survive(const std::string& name, const Attack& attack);

    /// Somebody on the allow list of the victim.
    [[nodiscard]] protocol::Identity ally();
    [[nodiscard]] protocol::Hello hello_of(const protocol::Identity& who) const;
    /// Connected, let in, and past the Hellos.
    [[nodiscard]] std::unique_ptr<CurveClient> session_of(const protocol::Identity& who) const;

    [[nodiscard]] double metric(const std::string& name) const { return victim_.metric(name); }
    [[nodiscard]] int port() const { return victim_.port(); }
    [[nodiscard]] const protocol::NodeId& server() const { return server_; }
    [[nodiscard]] const protocol::NetworkId& network() const { return network_; }
    [[nodiscard]] Device& victim() { return victim_; }
    [[nodiscard]] Device& neighbour() { return neighbour_; }

    /// Of the neighbour's seed, 0 where the victim uses none.
    [[nodiscard]] std::uint64_t seed_version() const;
    /// What the victim says of a peer.
    [[nodiscard]] std::string state_of(const Device& device) const;

  private:
    void live();

    TemporaryFolder ground_;
    Device victim_;
    Device neighbour_;
    std::unique_ptr<Device> latecomer_;
    protocol::NetworkId network_;
    protocol::NodeId server_;
    std::size_t usual_ = 0;
    std::size_t usual_descriptors_ = 0;
    double arrived_after_ = 0;
};

}  // namespace unlearn::testing
