#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocol/engine/sessions.hpp"
#include "protocol/engine/writes.hpp"

namespace unlearn::protocol {

/// Owns the seed that this node publishes, its lease, and the record of who may have it. No version and no
/// lease number is used twice. No peer gets a byte or a longer lease before that is on record, because the
/// certificate of our exit is made from the record.
class OwnSeed {
  public:
    /// Says whether a peer has a place among those that exchange seeds with us.
    using MayHave = std::function<bool(const NodeId&)>;

    OwnSeed(EngineContext& context, Writes& writes, Sessions& sessions, MayHave may_have)
        : context_(context), writes_(writes), sessions_(sessions), may_have_(std::move(may_have)) {}

    void load(LoadedState& state);
    /// After the restore of a backup, skips the versions and lease numbers that other nodes may have seen,
    /// even when the same backup is restored again.
    /// @return whether the state comes from a backup
    bool skip_versions_after_restore();
    /// Call this when it turns out, at any time, that our state is older than what others saw of us, for
    /// example because a copy of the data folder was put back. Versions and lease numbers go on above all
    /// that others may have seen, and a seed that is published here is published again under a new version.
    void go_on_above_others();
    /// Ends publishing, serving and announcing, because we leave.
    void withdraw() { withdrawn_ = true; }
    /// Serves the peer no more: it has signed that it left and holds none of our seeds. That must stay true.
    void stop_serving(const NodeId& peer) { have_left_.insert(peer); }

    /// Signs the seed as the next version and stores it with a lease. Once durable, it is announced.
    void publish(const PublishSeed& publish);
    void renew_lease();
    void renew_lease_when_due();
    /// Sends Have in `session`, after a longer lease of its peer is on record.
    void announce_to(SessionId id, Session& session);
    /// Sends the chunks once the peer is on record as a recipient.
    /// @return an error when the request breaks the protocol
    [[nodiscard]] Result<void> take_get(SessionId id, Session& session, const Get& get);
    /// Forgets the requests of a session that is over.
    void forget(SessionId id) { waiting_gets_.erase(id); }

    void on(const after_write::OwnSeedStored& stored);
    void on(const after_write::OwnLeaseStored& stored);
    void on(const after_write::RecipientStored& stored);

    /// All peers on record as recipients. No other peer was ever served.
    [[nodiscard]] const Recipients& recipients() const { return recipients_; }
    /// True while a recipient is being put on record.
    [[nodiscard]] bool is_recording() const { return !recipients_pending_.empty(); }
    [[nodiscard]] std::optional<OwnSeedStatus> status() const;
    /// The largest number of waiting requests of one session.
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

    void skip_versions();
    [[nodiscard]] Lease next_lease();
    void finish_lease(const Lease& lease);
    [[nodiscard]] Result<void> answer(SessionId id, Session& session, const Get& get);
    void serve(SessionId id, Session& session, const Get& get);
    /// True unless we leave, or the peer has left or has no place.
    [[nodiscard]] bool may_serve(const NodeId& peer) const {
        return !withdrawn_ && !have_left_.contains(peer) && may_have_(peer);
    }
    void record_recipient(const NodeId& peer, const Recipient& needed);

    EngineContext& context_;
    Writes& writes_;
    Sessions& sessions_;
    MayHave may_have_;
    bool skipped_ = false;  ///< since this start
    bool withdrawn_ = false;
    std::optional<Seed> seed_;
    std::uint64_t last_version_ = 0;       ///< the highest version that any node may have
    std::optional<SignedLease> lease_;     ///< the newest durable lease
    std::uint64_t last_lease_number_ = 0;  ///< the highest lease number that any node may have
    SteadyTime next_renewal_{};
    Recipients recipients_;          ///< durably on record
    Recipients recipients_pending_;  ///< what is being recorded, the latest for each peer
    std::set<NodeId> have_left_;     ///< peers whose `left` receipt we have
    std::set<NodeId> announcing_;    ///< peers that get the announcement once their lease is on record
    std::map<SessionId, std::vector<Get>> waiting_gets_;  ///< they wait until the recipient is on record
};

}  // namespace unlearn::protocol
