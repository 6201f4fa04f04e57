#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/engine/context.hpp"
#include "protocol/engine/outage.hpp"
#include "protocol/records.hpp"

namespace unlearn::protocol {

/// What follows once a write is durable.
namespace after_write {
/// Nothing follows.
struct Nothing {};
/// The peer may be given our seed.
struct RecipientStored {
    NodeId peer;
    Recipient recorded;
};
/// A checked seed may go into place.
struct SeedStored {
    NodeId owner;
    SeedVersion version{};
};
/// An exit may be passed on.
struct TombstoneStored {
    NodeId owner;
    PutStart state;  ///< the number that counts it
};
/// Our state may be stated with this number.
struct StateStored {
    PutStart state;
};
/// The peer may be shown that its statement is kept.
struct PeerStateStored {
    NodeId peer;
    std::uint64_t number = 0;
};
/// Our receipt for the owner's exit may be signed.
struct SeedErased {
    NodeId owner;
};
/// The removal of a peer is complete.
struct RemovedSeedErased {
    NodeId owner;
};
/// Our own exit cannot be undone any more.
struct ExitStored {
    PutStart state;                   ///< the number that counts it
    std::optional<SignedBytes> list;  ///< of our holders, when it was stored with the exit
};
/// We leave, and all seeds that we held are erased.
struct AllErased {};
/// A holder's receipt for our exit counts.
struct ReceiptStored {
    Receipt says;
    SignedBytes receipt;
};
/// The list of our holders may be sent.
struct HolderListStored {
    SignedBytes list;
    PutStart state;  ///< the number that counts it
};
/// The list of another owner's holders may be passed on.
struct PeerListStored {
    NodeId owner;
    SignedBytes list;
    NodeId heard_from;
};
/// The version may be asked for.
struct AskedStored {
    NodeId owner;
    SeedVersion version{};
};
/// Our new seed may be announced with this lease.
struct OwnSeedStored {
    SeedVersion version{};
    Lease lease;
};
/// Our new lease may be announced.
struct OwnLeaseStored {
    Lease lease;
};
/// The next lease of the owner's seed may be stored.
struct HeldLeaseStored {
    NodeId owner;
    std::uint64_t number = 0;
};
/// A succession may be passed on.
struct SuccessionStored {
    SignedBytes succession;
};
/// A revocation may be passed on.
struct RevocationStored {
    NodeId member;
};
/// The seed of an expelled member is gone from disk.
struct ExpelledSeedErased {
    NodeId owner;
};
/// Our new membership may be shown.
struct OwnMembershipStored {
    SignedBytes membership;
};
/// This identity has retired.
struct RetirementStored {
    std::string reason;
};
}  // namespace after_write

/// What follows a write.
using AfterWrite =
    std::variant<after_write::Nothing, after_write::RecipientStored, after_write::SeedStored,
                 after_write::TombstoneStored, after_write::SeedErased, after_write::RemovedSeedErased,
                 after_write::ExitStored, after_write::AllErased, after_write::ReceiptStored,
                 after_write::HolderListStored, after_write::PeerListStored, after_write::AskedStored,
                 after_write::StateStored, after_write::PeerStateStored, after_write::OwnSeedStored,
                 after_write::OwnLeaseStored, after_write::HeldLeaseStored, after_write::RetirementStored,
                 after_write::SuccessionStored, after_write::RevocationStored,
                 after_write::ExpelledSeedErased, after_write::OwnMembershipStored>;

/// Owns the writes that wait for the disk. A write whose failure may pass is tried again until it succeeds or
/// is not wanted any more: after kStoreRetryFirst, then after twice as long each time up to kStoreRetryMost,
/// and soon when another write has succeeded. A write that fails for good is given up when a peer's seed,
/// lease or equivocation was to be stored; otherwise it stays, and an event says that the process must stop.
/// What follows a write happens once, when the write is durable. Writes of one held seed, of our own seed or
/// of one peer are made one after the other, in the order in which they were asked for, also when some fail.
class Writes {
  public:
    /// Says whether a write is still to be made, given what would follow it.
    using Wanted = std::function<bool(const AfterWrite&)>;

    Writes(EngineContext& context, Wanted wanted) : context_(context), wanted_(std::move(wanted)) {}

    /// Asks storage for one transaction. `then` follows when it is durable.
    void persist(std::vector<StoreOp> ops, AfterWrite then);
    /// @return what follows the write, or nothing for a ticket that is unknown or was answered before
    [[nodiscard]] std::optional<AfterWrite> take(const Stored& done);
    /// Schedules the write to be tried again, or gives it up.
    /// @return what will never follow, when a write of a peer was given up
    [[nodiscard]] std::optional<AfterWrite> fail(const StoreFailed& failed);
    /// Tries again what is due.
    void tick();
    /// Forgets the writes that storage does not have and that are not wanted any more. Their bytes are
    /// released here and now: a receipt must not be signed while a seed waits to be written.
    void forget_unwanted();

    /// The number of writes that are not durable yet.
    [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  private:
    /// What a write changes: a kind of record, and whose it is.
    struct Key {
        int kind = 0;
        NodeId subject;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    enum class State { blocked, asked, failed, impossible };
    struct Waiting {
        std::vector<StoreOp> ops;
        AfterWrite then;
        std::vector<Key> keys;
        State state = State::blocked;
        std::uint32_t failures = 0;
        SteadyTime may_retry_at{};  ///< the earliest time to try again, once the disk works
        SteadyTime retry_at{};      ///< the time to try again while nothing succeeds
    };
    using Iterator = std::map<Ticket, Waiting>::iterator;

    [[nodiscard]] static std::optional<Key> key_of(const StoreOp& op);
    [[nodiscard]] static std::vector<Key> keys_of(const std::vector<StoreOp>& ops);
    [[nodiscard]] static bool is_of_a_peer(const std::vector<StoreOp>& ops);
    [[nodiscard]] static std::chrono::milliseconds retry_after(std::uint32_t failures);
    [[nodiscard]] std::optional<AfterWrite> fail_for_good(Iterator write, const std::string& reason);
    /// Asks storage for the write, unless an earlier one has to come first.
    void ask_if_first(Ticket ticket);
    /// Removes the write, and asks for those that it held up. @return what comes after it
    Iterator remove(Iterator write);

    EngineContext& context_;
    Wanted wanted_;
    std::map<Ticket, Waiting> waiting_;
    std::map<Key, std::set<Ticket>> order_;  ///< of the writes that are not durable yet
    std::size_t not_asked_ = 0;              ///< how many of them storage does not have
    std::size_t failing_ = 0;                ///< how many of them have failed and may still succeed
    bool disk_works_ = true;                 ///< the last answer of storage was a success
    Outage outage_;
    Ticket next_ticket_ = 1;
};

}  // namespace unlearn::protocol
