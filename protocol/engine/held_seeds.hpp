#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/engine/erasures.hpp"
#include "protocol/engine/fetch.hpp"
#include "protocol/engine/sessions.hpp"
#include "protocol/engine/writes.hpp"

namespace unlearn::protocol {

/// Owns the seeds of others on their way from an announcement to the ensemble: downloads, candidates that are
/// being checked or stored, and what is in place with its lease. Asks the one gate at every step, and never
/// lets what one owner does decide about the seed of another.
class HeldSeeds {
  public:
    /// What the gate must know of an owner beyond its seed. The engine asks the other parts.
    using FactsOf = std::function<AdmissionFacts(const NodeId& owner)>;

    HeldSeeds(EngineContext& context, Writes& writes, Sessions& sessions, Erasures& erasures,
              FactsOf facts_of)
        : context_(context),
          writes_(writes),
          sessions_(sessions),
          erasures_(erasures),
          facts_of_(std::move(facts_of)) {}

    void load(LoadedState& state);
    /// Has what was loaded checked, once the exits that forbid some of it are known.
    void start();

    /// @return why the peer breaks the protocol
    [[nodiscard]] Result<void> take_have(SessionId id, Session& session, const Have& have);
    [[nodiscard]] Result<void> take_chunk(SessionId id, Session& session, const Chunk& chunk);
    /// The owner does not serve this version any more.
    void stop_download(const NodeId& owner, std::uint64_t version);
    void stop_all_downloads() { downloads_.clear(); }
    /// Goes on with a download in a new session of its owner.
    void resume_download(SessionId id, Session& session);
    void on(const SeedChecked& checked);
    void on(const SeedJudged& judged);
    void on(const after_write::SeedStored& stored);
    void on(const after_write::HeldLeaseStored& stored);
    void tick_downloads();

    /// Takes every seed into use or out of it, as the gate says now.
    void refresh_all();
    /// Exits were compared with a neighbour: what was loaded from disk may be used, except for the owners
    /// whose exit that neighbour knows and we do not.
    void clear_quarantine(const std::set<BurntId>& except);
    /// Stops all use of the owner's seed at once. @return the version that may have been stored, 0 when there
    /// was none
    SeedVersion stop_using(const NodeId& owner);

    [[nodiscard]] Admission ask_gate(const NodeId& owner, SeedVersion version, AdmissionPoint point) const;
    [[nodiscard]] bool may_use(const NodeId& owner, SeedVersion version) const;
    [[nodiscard]] bool has(const NodeId& owner) const {
        return held_.contains(owner) || candidates_.contains(owner);
    }
    /// Owners of seeds in place.
    [[nodiscard]] std::vector<NodeId> owners_in_place() const;
    /// Owners of seeds in place, or complete on their way there.
    [[nodiscard]] std::set<NodeId> owners() const;
    [[nodiscard]] std::map<NodeId, SeedVersion> in_use() const;
    [[nodiscard]] std::vector<HeldSeedStatus> status() const;
    [[nodiscard]] std::size_t downloads() const { return downloads_.size(); }
    [[nodiscard]] std::size_t candidates() const { return candidates_.size(); }
    [[nodiscard]] std::size_t equivocations() const;

  private:
    /// The newest lease of one version of a peer's seed.
    struct HeldLease {
        std::uint64_t number = 0;  ///< 0: none came yet
        WallTime not_after{};
        SteadyTime heard_at{};
    };
    struct Download {
        Fetch fetch;
        HeldLease lease;
    };
    /// A seed that is complete: being checked, being stored, or in place.
    struct Held {
        SeedRecord record;
        SignedBytes signed_record;
        SharedSeedBytes payload;  ///< only until it is stored and in place
        HeldLease lease;
        bool loaded = false;  ///< from disk, at the start
        bool quarantined = false;
        std::optional<std::string> aside;
        bool in_use = false;
    };

    [[nodiscard]] Result<SeedRecord> record_in(const NodeId& owner, const SignedBytes& signed_record) const;
    [[nodiscard]] bool is_equivocation(const NodeId& owner, const SeedRecord& record,
                                       const SignedBytes& signed_record);
    void ask_for_more(SessionId id, Session& session, Fetch& fetch);
    void refuse(const SeedChecked& checked);
    void take_lease(const Lease& lease);
    void store_lease(const NodeId& owner);
    [[nodiscard]] bool lease_runs(const HeldLease& lease) const;
    void refresh_use(const NodeId& owner, Held& held, EventKind when_usable = EventKind::seed_resumed);

    EngineContext& context_;
    Writes& writes_;
    Sessions& sessions_;
    Erasures& erasures_;
    FactsOf facts_of_;
    std::map<NodeId, Download> downloads_;
    std::map<NodeId, Held> candidates_;  ///< complete, not yet in place
    std::map<NodeId, Held> held_;        ///< in place
    std::set<NodeId> leases_pending_;    ///< of whose seed a lease is being stored
    std::map<NodeId, SeedVersion> refused_;
    std::map<NodeId, std::set<SeedVersion>> equivocations_;
    std::vector<PutHeldSeed> loaded_seeds_;         ///< from storage, until the start
    std::map<NodeId, PutHeldLease> loaded_leases_;  ///< from storage, until the start
    WallTime last_wall_{};                          ///< the latest that storage knows of
};

}  // namespace unlearn::protocol
