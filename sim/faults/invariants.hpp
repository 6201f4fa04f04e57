#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/faults/machine.hpp"
#include "sim/faults/payloads.hpp"
#include "sim/faults/told_exits.hpp"

namespace unlearn::sim::faults {

/// A violation: which rule was broken, and how.
struct BrokenInvariant {
    std::string rule;
    std::string detail;  ///< one line
};

/// What must hold whatever happens. The invariants watch a world from outside: what nodes say, what they use,
/// and what their disks would still have after a power cut. The first violation is kept in full.
class Invariants {
  public:
    struct Settings {
        protocol::NetworkId network;
        std::chrono::seconds lease_time{};
        std::chrono::milliseconds slack{};  ///< how late a timer may be
        bool in_memory = false;             ///< there are no disks to check
        bool has_key = false;               ///< the network has a key: it takes only exits of its members
    };
    Invariants(Settings settings, virtual_world::VirtualTime& time, const Payloads& payloads)
        : settings_(settings), time_(time), payloads_(payloads) {}

    [[nodiscard]] const std::optional<BrokenInvariant>& violation() const { return violation_; }
    /// The names of all rules that were broken.
    [[nodiscard]] const std::set<std::string>& broken() const { return broken_; }
    /// Records a violation that the world itself found.
    void fail(std::string rule, std::string detail);

    // What the world reports.
    /// `owner` has really signed an exit.
    void exit_signed(const protocol::NodeId& owner) { exits_.insert(owner); }
    /// The owners whose exits `machine` certainly has had on its disk since it was last restored from a
    /// backup.
    [[nodiscard]] const std::set<protocol::NodeId>& stored_exits(const protocol::NodeId& machine) const;
    /// Storage returned this state at a start of `machine`.
    void loaded(const Machine& machine, const protocol::LoadedState& state);
    /// The identity of `machine` is finished, and it will never run again.
    void put_to_rest(const Machine& machine);
    /// The machine's disk was replaced with a backup. From now on, what the backup knew counts.
    void restored(const Machine& machine);
    /// `machine` is about to judge a complete seed of `owner`.
    void offered(const Machine& machine, const protocol::NodeId& owner, protocol::ByteView payload);
    void installed(const Machine& machine, const protocol::NodeId& owner, protocol::SeedVersion version);
    void event(const Machine& machine, const protocol::Event& event);
    /// `machine` hands a message for `to` to the network.
    void sends(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    /// A message from `from` reaches `machine`.
    void hears(const Machine& machine, const protocol::NodeId& from, const network::Frames& frames);

    /// Checks what a running node uses, and how much it remembers for others. It is cheap and is called after
    /// every event.
    void check_running(const Machine& machine);
    void check_sizes(const Machine& machine, const protocol::EngineSizes& sizes);
    /// Checks that the node knows all exits that it must know. Not cheap.
    void check_memory(const Machine& machine);
    /// Searches the machine's whole disk for seeds whose erasure it signed or reported. Not cheap.
    void check_disk(const Machine& machine);
    /// Does the same for all seeds that must be gone once nothing is under way any more: the seeds of all
    /// owners who have left, or all seeds if the machine itself has left. Not cheap.
    void check_erased(const Machine& machine);
    /// Returns an owner whose exit the running machine knows and whose seed it has not completely erased yet.
    [[nodiscard]] std::optional<protocol::NodeId> still_kept(const Machine& machine) const;
    /// Checks that a power cut would leave all exits that the node knows. Not cheap.
    void check_stored(const Machine& machine);

  private:
    using Pair = std::pair<protocol::NodeId, protocol::NodeId>;
    struct HeardLease {
        std::set<std::uint64_t> numbers;
        protocol::WallTime not_after{};
        protocol::SteadyTime at{};
    };

    /// How many chunks of one version of a seed came, and up to which chunk they were requested.
    struct Window {
        protocol::SeedVersion version{};
        std::uint32_t received = 0;
        std::uint32_t asked = 0;
    };

    [[nodiscard]] static std::string text(protocol::SeedVersion version);
    void check_limit(const Machine& machine, std::size_t size, std::size_t limit, const char* what);
    void sends_bytes(const Machine& machine, const network::Frames& frames);
    void sends_get(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    void sends_exit(const Machine& machine, const network::Frames& frames);
    void sends_receipt(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    void check_versions(const Machine& machine, const protocol::Receipt& receipt, const std::string& what);
    void sends_chunk(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    void sends_seed(const Machine& machine, const network::Frames& frames);
    void sends_digest(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    void hears_offer(const Machine& machine, const protocol::NodeId& from, const network::Frames& frames);
    void hears_chunk(const Machine& machine, const protocol::NodeId& from, const network::Frames& frames);
    void hears_delta(const Machine& machine, const protocol::NodeId& from, const network::Frames& frames);
    void sends_query(const Machine& machine, const protocol::NodeId& to, const network::Frames& frames);
    void hears_answer(const Machine& machine, const protocol::NodeId& from, const network::Frames& frames);
    void compared(const Machine& machine, const protocol::NodeId& with,
                  const std::set<protocol::ExitedId>& known_there);
    /// Ends the wait after a start when enough peers have told enough.
    void check_vouchers(const Machine& machine, const protocol::NodeId& with);
    /// Checks that since the last start a neighbour other than its owner has vouched for the seed of `owner`.
    void check_quarantine(const Machine& machine, const protocol::NodeId& owner, const std::string& what);
    void learns_exit(const Machine& machine, const protocol::NodeId& owner);
    void completes(const Machine& machine);
    void erases(const Machine& machine, const protocol::NodeId& owner);
    [[nodiscard]] bool has_bytes(const Machine& machine, const protocol::NodeId& owner) const;
    void search_disk(const Machine& machine, const protocol::NodeId& owner);
    /// What a power cut now would leave on the machine's disk, of what it must be able to rely on.
    struct Stored {
        std::set<protocol::NodeId> exits;  ///< including its own
        std::map<protocol::NodeId, protocol::SeedVersion> recipients;
    };
    [[nodiscard]] static Stored surely_stored(const Machine& machine);
    /// Whether a power cut now would leave the exit of `owner`, which may be the machine itself, on its disk.
    [[nodiscard]] bool is_surely_stored(const Machine& machine, const protocol::NodeId& owner);
    /// Whether it would leave `peer` there as a recipient of this version or a newer one.
    [[nodiscard]] bool is_surely_recorded(const Machine& machine, const protocol::NodeId& peer,
                                          protocol::SeedVersion version);
    [[nodiscard]] bool will_do_alone(const Machine& machine, const protocol::NodeId& peer) const;
    /// Whether the machine has this version of the owner's seed, in use or not.
    [[nodiscard]] static bool holds(const Machine& machine, const protocol::NodeId& owner,
                                    protocol::SeedVersion version);
    /// Whether the two have exchanged their Hellos.
    [[nodiscard]] static bool has_met(const Machine& machine, const protocol::NodeId& peer);
    [[nodiscard]] const protocol::Result<protocol::ExitNotice>& notice_in(
        const protocol::SignedBytes& signed_notice);
    [[nodiscard]] const protocol::Lease* lease_in(const protocol::NodeId& owner,
                                                  const protocol::SignedBytes& signed_lease);

    Settings settings_;
    virtual_world::VirtualTime& time_;
    const Payloads& payloads_;
    std::optional<BrokenInvariant> violation_;
    std::set<std::string> broken_;
    std::set<protocol::NodeId> exits_;
    std::map<Pair, protocol::ReceiptReason> receipts_;  ///< machine, owner: a receipt was sent
    /// Receipts, with their reasons, that were already checked against what is on the machine's disk now.
    std::set<std::pair<Pair, protocol::ReceiptReason>> checked_receipts_;
    std::set<Pair> ever_signed_;  ///< the same, including those from before a restoration
    std::set<Pair> received_;     ///< machine, owner: some bytes of a seed came
    std::set<Pair> erased_;       ///< of these: reported as erased, with no restoration since
    std::map<protocol::NodeId, std::set<protocol::NodeId>> tombstones_;  ///< durable, including its own exit
    /// A comparison of exits that a machine has begun with a peer.
    struct Comparison {
        protocol::DigestSalt salt;
        std::set<protocol::ExitedId> known_there;
    };
    std::map<Pair, Comparison> comparisons_;
    std::map<Pair, protocol::ExitQuery> queries_;  ///< machine, peer: the last one that the machine sent
    /// For each machine that has started again: what peers have told since then. An entry is kept until two
    /// peers knew of no exit that is unknown to it.
    std::map<protocol::NodeId, std::map<protocol::NodeId, ToldExits>> vouchers_;
    /// Holders that were restored: they may sign that they never asked for what they were served since.
    std::set<protocol::NodeId> ever_restored_;
    std::set<protocol::NodeId> completed_;            ///< owners that reported their exit complete
    std::set<protocol::NodeId> met_;                  ///< machines that were shown their own exit
    std::map<Pair, HeardLease> heard_;                ///< machine, owner
    std::map<Pair, protocol::SeedVersion> highest_;   ///< machine, owner: the highest version ever used
    std::map<Pair, protocol::SeedVersion> served_;    ///< owner, holder: the highest version served
    std::map<Pair, protocol::SeedVersion> recorded_;  ///< the same, certainly durable
    std::map<Pair, protocol::SeedVersion> asked_;     ///< holder, owner: the highest version asked for
    /// The highest erased version in a receipt of this holder, for this owner and reason.
    std::map<std::pair<Pair, protocol::ReceiptReason>, protocol::SeedVersion> erased_versions_;
    std::map<std::pair<protocol::NodeId, protocol::SeedVersion>, protocol::Bytes> records_;
    /// Replaces the built-in order of vectors, of which gcc 12 warns wrongly.
    struct BySignature {
        bool operator()(const protocol::SignedBytes& a, const protocol::SignedBytes& b) const {
            if (a.signature != b.signature) return a.signature < b.signature;
            return std::lexicographical_compare(a.bytes.begin(), a.bytes.end(), b.bytes.begin(),
                                                b.bytes.end());
        }
    };
    std::map<protocol::SignedBytes, protocol::Lease, BySignature> leases_;
    /// Each notice is verified only once.
    std::map<protocol::SignedBytes, protocol::Result<protocol::ExitNotice>, BySignature> notices_;
    std::map<Pair, Window> windows_;  ///< machine, owner
    struct HeardExit {
        protocol::NodeId from;
        protocol::SignedBytes notice;
    };
    std::map<protocol::NodeId, HeardExit> last_exit_;  ///< by machine
    std::map<Pair, std::size_t> introduced_;  ///< machine, peer: strangers' exits accepted since the start
    std::set<protocol::SignedBytes, BySignature> offered_;  ///< records that were heard
    std::map<std::pair<protocol::NodeId, protocol::SeedVersion>, std::size_t> least_chunk_;
};

}  // namespace unlearn::sim::faults
