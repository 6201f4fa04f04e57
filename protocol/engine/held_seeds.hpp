#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/engine/equivocations.hpp"
#include "protocol/engine/erasures.hpp"
#include "protocol/engine/fetch.hpp"
#include "protocol/engine/sessions.hpp"
#include "protocol/engine/write_allowances.hpp"
#include "protocol/engine/writes.hpp"

namespace unlearn::protocol {

/// Owns the seeds of others on their way from an announcement to the ensemble: downloads, candidates that are
/// being checked or stored, and seeds in place with their leases. It asks the one gate at every step. What
/// one owner does never decides about the seed of another.
class HeldSeeds {
  public:
    /// Collects from the other parts what the gate must know of an owner beyond its seed.
    using FactsOf = std::function<AdmissionFacts(const NodeId& owner)>;

    HeldSeeds(EngineContext& context, Writes& writes, Sessions& sessions, Erasures& erasures,
              FactsOf facts_of)
        : context_(context),
          writes_(writes),
          sessions_(sessions),
          erasures_(erasures),
          facts_of_(std::move(facts_of)) {}

    void load(LoadedState& state);
    /// Has the loaded seeds checked. By then the exits that forbid some of them are known.
    void start();

    /// Both return an error when the message breaks the protocol.
    [[nodiscard]] Result<void> take_have(SessionId id, Session& session, const Have& have);
    [[nodiscard]] Result<void> take_chunk(SessionId id, Session& session, const Chunk& chunk);
    /// Ends the download of a version that the owner does not serve any more.
    void stop_download(const NodeId& owner, std::uint64_t version);
    void stop_all_downloads() { downloads_.clear(); }
    /// Continues the download from the peer of a new session, if there is one.
    void resume_download(SessionId id, Session& session);
    void on(const SeedChecked& checked);
    void on(const SeedJudged& judged);
    void on(const after_write::SeedStored& stored);
    void on(const after_write::HeldLeaseStored& stored);
    void on(const after_write::AskedStored& stored);
    /// Refuses a seed that can never be stored, and forgets and erases it together with the version in place.
    void give_up(const after_write::SeedStored& never, const std::string& reason);
    /// Ends a lease that can never be stored. The seed waits for the next one.
    void give_up(const after_write::HeldLeaseStored& never, const std::string& reason);
    void tick_downloads();

    /// Takes every seed in place into use or out of it, as the gate decides now.
    void refresh_all();
    /// Stops all use of the owner's seed at once. @return the version that may have been stored, or 0
    SeedVersion stop_using(const NodeId& owner);

    [[nodiscard]] Admission ask_gate(const NodeId& owner, SeedVersion version, AdmissionPoint point) const;
    /// True when the newest seed that the owner announced does not fit into its share.
    [[nodiscard]] bool too_large(const NodeId& owner) const { return too_large_.contains(owner); }
    /// True when this version is in place and the gate admits it to the ensemble now.
    [[nodiscard]] bool may_use(const NodeId& owner, SeedVersion version) const;
    /// True when a complete seed of the owner is here.
    /// The highest version that we may ever have asked the owner for, or 0.
    [[nodiscard]] SeedVersion highest_asked(const NodeId& owner) const;
    [[nodiscard]] bool has(const NodeId& owner) const {
        return held_.contains(owner) || candidates_.contains(owner);
    }
    /// The owners of seeds in place.
    [[nodiscard]] std::vector<NodeId> owners_in_place() const;
    /// The owners of all complete seeds, in place or not yet.
    [[nodiscard]] std::set<NodeId> owners() const;
    [[nodiscard]] std::map<NodeId, SeedVersion> in_use() const;
    [[nodiscard]] std::vector<HeldSeedStatus> status() const;
    [[nodiscard]] std::size_t downloads() const { return downloads_.size(); }
    [[nodiscard]] std::size_t candidates() const { return candidates_.size(); }
    /// The number of versions with a proof of equivocation, over all owners.
    [[nodiscard]] std::size_t equivocations() const { return equivocations_.size(); }

  private:
    /// The newest lease of one version of a peer's seed.
    struct HeldLease {
        std::uint64_t number = 0;  ///< 0 when none came yet
        WallTime not_after{};
        SteadyTime heard_at{};
    };
    struct Download {
        Fetch fetch;
        HeldLease lease;
    };
    /// A complete seed that is being checked, being stored, or in place.
    struct Held {
        SeedRecord record;
        SignedBytes signed_record;
        SharedSeedBytes payload;  ///< released once the seed is in place
        HeldLease lease;
        bool loaded = false;               ///< the seed was loaded from disk at the start
        std::optional<std::string> aside;  ///< why the seed is held aside, if it is
        bool in_use = false;
    };

    /// Returns the verified record of an announcement.
    [[nodiscard]] Result<SeedRecord> record_in(const NodeId& owner, const SignedBytes& signed_record) const;
    /// True when another record of the same version is here. The two are proof of equivocation.
    [[nodiscard]] bool is_equivocation(const NodeId& owner, const SeedRecord& record,
                                       const SignedBytes& signed_record);
    /// Notes whether the seed that this record describes fits into its owner's share.
    void note_size(const SeedRecord& record);
    void ask_for_more(SessionId id, Session& session, Fetch& fetch);
    /// Stores that this version is asked for, because our receipt will say so.
    /// @return true once it is durable
    [[nodiscard]] bool is_asking_on_record(const NodeId& owner, SeedVersion version);
    void refuse(const SeedChecked& checked);
    void take_lease(const Lease& lease);
    void store_lease(const NodeId& owner);
    /// True until the lease ends on the wall clock, or its time has passed on the boot-time clock.
    [[nodiscard]] bool lease_runs(const HeldLease& lease) const;
    /// Asks the gate about a seed in place, and takes it into use or out of it when the answer has changed.
    void refresh_use(const NodeId& owner, Held& held, EventKind when_usable = EventKind::seed_resumed);

    EngineContext& context_;
    Writes& writes_;
    Sessions& sessions_;
    Erasures& erasures_;
    FactsOf facts_of_;
    std::map<NodeId, Download> downloads_;
    std::map<NodeId, Held> candidates_;     ///< complete seeds that are not in place yet
    std::map<NodeId, Held> held_;           ///< seeds in place
    std::map<NodeId, SeedVersion> asked_;   ///< durable: the highest version of each owner that we asked for
    std::map<NodeId, SeedVersion> asking_;  ///< what is being stored of it
    std::set<NodeId> leases_pending_;       ///< owners for whose seed a lease is being stored
    std::map<NodeId, SeedVersion> too_large_;  ///< the newest version of each owner that does not fit
    std::map<NodeId, SeedVersion> refused_;    ///< the newest version of each owner that was refused
    Equivocations equivocations_{context_, writes_};
    WriteAllowances write_allowances_{context_};
    std::vector<PutHeldSeed> loaded_seeds_;         ///< what storage gave back, until the start
    std::map<NodeId, PutHeldLease> loaded_leases_;  ///< what storage gave back, until the start
    WallTime last_wall_{};                          ///< the latest wall-clock time that storage knows of
};

}  // namespace unlearn::protocol
