#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/faults/machine.hpp"
#include "sim/faults/payloads.hpp"

namespace unlearn::sim {

struct Violation {
    std::string rule;
    std::string detail;  ///< one line
};

/// What must hold whatever happens. Watches a world from outside: what nodes say, what they use, what their
/// disks would still have after a power cut. The first violation is kept.
class Invariants {
  public:
    struct Settings {
        protocol::NetworkId network;
        std::chrono::seconds lease_time{};
        std::chrono::milliseconds slack{};  ///< how late a timer may be
        bool in_memory = false;             ///< there are no disks to look at
    };
    Invariants(Settings settings, VirtualTime& time, const Payloads& payloads)
        : settings_(settings), time_(time), payloads_(payloads) {}

    [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
    /// What the world itself finds wrong.
    void fail(std::string rule, std::string detail);

    // What the world tells.
    /// `owner` has really signed an exit.
    void exit_signed(const protocol::NodeId& owner) { exits_.insert(owner); }
    [[nodiscard]] const std::set<protocol::NodeId>& exits() const { return exits_; }
    /// Storage gave this back at a start of `machine`.
    void loaded(const Machine& machine, const protocol::LoadedState& state);
    /// The machine's disk was replaced by a backup: what it knew then is what counts.
    void restored(const Machine& machine);
    void installed(const Machine& machine, const protocol::NodeId& owner, protocol::SeedVersion version);
    void event(const Machine& machine, const protocol::Event& event);
    /// `machine` hands a message for `to` to the network.
    void sends(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    /// A message from `from` reaches `machine`.
    void hears(const Machine& machine, const protocol::NodeId& from, const network::Frames& frames);

    /// What a node says of itself: leases, limits, what it must remember. Asked whenever a message reaches
    /// it, and, for what only time can break, now and then.
    void check_running(const Machine& machine);
    /// The machine's whole disk is searched for seeds whose erasure it signed.
    void check_disk(const Machine& machine);

  private:
    using Pair = std::pair<protocol::NodeId, protocol::NodeId>;
    struct HeardLease {
        std::set<std::uint64_t> numbers;
        protocol::WallTime not_after{};
        protocol::SteadyTime at{};
    };

    void sends_receipt(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    void sends_chunk(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    void sends_seed(const Machine& machine, const network::Frames& frames);
    void completes(const Machine& machine);
    void search_disk(const Machine& machine, const protocol::NodeId& owner);
    [[nodiscard]] std::optional<protocol::LoadedState> surely_stored(const Machine& machine) const;
    [[nodiscard]] const protocol::Lease* lease_in(const protocol::NodeId& owner,
                                                  const protocol::SignedBytes& signed_lease);

    Settings settings_;
    VirtualTime& time_;
    const Payloads& payloads_;
    std::optional<Violation> violation_;
    std::set<protocol::NodeId> exits_;
    std::map<Pair, protocol::ReceiptReason> receipts_;  ///< machine, owner: a receipt is out
    std::set<Pair> ever_signed_;                        ///< the same, before any restoration too
    std::map<protocol::NodeId, std::set<protocol::NodeId>> tombstones_;  ///< surely durable ones
    struct LoadedSeed {
        protocol::SeedVersion version{};
        std::uint64_t lease_number = 0;
    };
    std::map<Pair, LoadedSeed> quarantined_;
    std::map<protocol::NodeId, protocol::SteadyTime> compared_;  ///< when it last heard what others know
    std::map<Pair, HeardLease> heard_;                           ///< machine, owner
    std::map<Pair, protocol::SeedVersion> highest_;              ///< machine, owner: ever used
    std::map<Pair, protocol::SeedVersion> served_;               ///< owner, holder
    std::map<std::pair<protocol::NodeId, protocol::SeedVersion>, protocol::Bytes> records_;
    std::map<protocol::Signature, protocol::Lease> leases_;
};

}  // namespace unlearn::sim
