#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/engine/context.hpp"
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
struct ExitStored {};
/// We leave, and all seeds that we held are erased.
struct AllErased {};
/// A holder's receipt for our exit counts.
struct ReceiptStored {
    NodeId holder;
    SignedBytes receipt;
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
                 after_write::OwnSeedStored, after_write::OwnLeaseStored, after_write::HeldLeaseStored,
                 after_write::RetirementStored>;

/// Owns the writes that wait for the disk. A failed write is tried again until it succeeds or is not wanted
/// any more. What follows a write happens once, when the write is durable.
class Writes {
  public:
    explicit Writes(EngineContext& context) : context_(context) {}

    /// Asks storage for one transaction. `then` follows when it is durable.
    void persist(std::vector<StoreOp> ops, AfterWrite then);
    /// @return what follows the write, or nothing for a ticket that is unknown or was answered before
    [[nodiscard]] std::optional<AfterWrite> take(const Stored& done);
    /// Schedules the write to be tried again.
    void fail(const StoreFailed& failed);
    /// Tries again what failed kStoreRetry ago. Forgets those of these writes that are no longer `wanted`.
    void tick(const std::function<bool(const AfterWrite&)>& wanted);

    /// The number of writes that are not durable yet.
    [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  private:
    struct Waiting {
        std::vector<StoreOp> ops;
        AfterWrite then;
        std::optional<SteadyTime> retry_at;
    };

    EngineContext& context_;
    std::map<Ticket, Waiting> waiting_;
    Ticket next_ticket_ = 1;
};

}  // namespace unlearn::protocol
