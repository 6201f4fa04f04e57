#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocol/engine/sessions.hpp"
#include "protocol/engine/writes.hpp"

namespace unlearn::protocol {

/// Owns the seed that this node publishes, its lease, and who may have it. No version and no lease number is
/// used twice, and nobody gets a byte or a longer lease before that is on record: the record is what the
/// certificate of our exit is made of.
class OwnSeed {
  public:
    OwnSeed(EngineContext& context, Writes& writes, Sessions& sessions)
        : context_(context), writes_(writes), sessions_(sessions) {}

    void load(LoadedState& state);
    /// Skips the versions and leases that may be out when a backup was restored: also when the same backup is
    /// restored again. @return whether this is such a restored state
    bool skip_versions_after_restore();
    /// We leave: nothing is published, served or announced any more.
    void withdraw() { withdrawn_ = true; }

    void publish(const PublishSeed& publish);
    void renew_lease();
    void renew_lease_when_due();
    void announce_to(SessionId id, Session& session);
    /// @return why the peer that asks breaks the protocol
    [[nodiscard]] Result<void> take_get(SessionId id, Session& session, const Get& get);
    /// The session is over.
    void forget(SessionId id) { waiting_gets_.erase(id); }

    void on(const after_write::OwnSeedStored& stored);
    void on(const after_write::OwnLeaseStored& stored);
    void on(const after_write::RecipientStored& stored);

    /// Everybody who was ever served, as far as that is on record.
    [[nodiscard]] const std::map<NodeId, Recipient>& recipients() const { return recipients_; }
    [[nodiscard]] std::optional<OwnSeedStatus> status() const;
    /// Of the session with the most.
    [[nodiscard]] std::size_t waiting_gets() const;

  private:
    struct Seed {
        SeedRecord record;
        SignedBytes signed_record;
        SharedSeedBytes payload;
        bool durable = false;
    };
    struct SignedLease {
        Lease lease;
        SignedBytes signed_lease;
    };

    [[nodiscard]] Lease next_lease();
    void finish_lease(const Lease& lease);
    [[nodiscard]] Result<void> answer(SessionId id, Session& session, const Get& get);
    void serve(SessionId id, Session& session, const Get& get);
    void record_recipient(const NodeId& peer, const Recipient& needed);

    EngineContext& context_;
    Writes& writes_;
    Sessions& sessions_;
    bool withdrawn_ = false;
    std::optional<Seed> seed_;
    std::uint64_t last_version_ = 0;       ///< the highest that may be in use anywhere
    std::optional<SignedLease> lease_;     ///< durable
    std::uint64_t last_lease_number_ = 0;  ///< the highest that may be in use anywhere
    SteadyTime next_renewal_{};
    std::map<NodeId, Recipient> recipients_;          ///< on record, durable
    std::map<NodeId, Recipient> recipients_pending_;  ///< the last that is being recorded
    std::set<NodeId> announcing_;  ///< peers that get the announcement as soon as their lease is on record
    std::map<SessionId, std::vector<Get>> waiting_gets_;  ///< until the recipient is on record
};

}  // namespace unlearn::protocol
