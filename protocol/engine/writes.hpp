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
struct Nothing {};
/// `peer` may be given our seed.
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
/// All seeds that we held are erased because we leave.
struct AllErased {};
struct ReceiptStored {
    NodeId holder;
    SignedBytes receipt;
};
struct OwnSeedStored {
    SeedVersion version{};
    Lease lease;
};
struct OwnLeaseStored {
    Lease lease;
};
struct HeldLeaseStored {
    NodeId owner;
    std::uint64_t number = 0;
};
struct RetirementStored {
    std::string reason;
};
}  // namespace after_write

using AfterWrite =
    std::variant<after_write::Nothing, after_write::RecipientStored, after_write::SeedStored,
                 after_write::TombstoneStored, after_write::SeedErased, after_write::RemovedSeedErased,
                 after_write::ExitStored, after_write::AllErased, after_write::ReceiptStored,
                 after_write::OwnSeedStored, after_write::OwnLeaseStored, after_write::HeldLeaseStored,
                 after_write::RetirementStored>;

/// Owns what waits for the disk. A write that fails is tried again until it succeeds, and what follows it
/// happens once, when it is durable.
class Writes {
  public:
    explicit Writes(EngineContext& context) : context_(context) {}

    /// Asks storage for one transaction.
    void persist(std::vector<StoreOp> ops, AfterWrite then);
    /// @return what follows, or nothing for a ticket that is unknown or was answered before
    [[nodiscard]] std::optional<AfterWrite> take(const Stored& done);
    void fail(const StoreFailed& failed);
    /// Asks again for the writes that failed kStoreRetry ago, and forgets those that are not `wanted` any
    /// more.
    void tick(const std::function<bool(const AfterWrite&)>& wanted);

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
