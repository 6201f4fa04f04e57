#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "protocol/admission.hpp"
#include "protocol/allowance.hpp"
#include "protocol/durable.hpp"
#include "protocol/engine_io.hpp"
#include "protocol/fetch.hpp"
#include "protocol/identity.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"
#include "protocol/records.hpp"

/// The protocol as a pure step function: an input and the time go in, effects come out. No sockets, files,
/// threads or clocks; whoever owns an engine carries out its effects in order and feeds the answers back as
/// inputs.
namespace unlearn::protocol {

/// How often a node speaks without need, and how long it puts up with silence.
struct Pace {
    std::chrono::milliseconds ping_after_idle = kPingAfterIdle;
    std::chrono::milliseconds suspect_after = kPeerSuspectAfter;
    std::chrono::milliseconds down_after = kPeerDownAfter;
    std::chrono::milliseconds compare_every = kCompareInterval;
};

struct EngineConfig {
    NetworkId network;
    std::vector<Neighbour> neighbours;
    bool reachable = true;  ///< neighbours can dial us
    /// In a network with a key: whoever shows a membership signed by it may connect.
    std::optional<NodeId> network_key;
    std::optional<SignedBytes> membership;  ///< ours
    std::uint64_t random_seed = 0;  ///< of what is drawn: whom to compare exits with, and under which key
    std::chrono::seconds lease_time = kLeaseTime;
    std::chrono::seconds lease_renewal = kLeaseRenewal;
    Pace pace;
    /// The one gate. Anything but `admit` breaks the promise: fault_sim shows that it would notice.
    Admission (*gate)(const AdmissionFacts&, AdmissionPoint) = admit;
};

struct EngineCounters {
    std::uint64_t peers_dropped = 0;
    std::uint64_t messages_ignored = 0;
    std::uint64_t seeds_refused = 0;
    std::uint64_t store_failures = 0;
    std::uint64_t equivocations = 0;  ///< different versions, kMaxEquivocationsKept of each owner at most
    std::uint64_t exits_put_off = 0;  ///< of unknown owners, because one peer introduced too many
    std::uint64_t comparisons = 0;    ///< of known exits, finished
};

/// How much an engine has to remember for others just now.
struct EngineSizes {
    std::size_t sessions = 0;
    std::size_t blocked_keys = 0;
    std::size_t waiting_gets = 0;  ///< of the session with the most
    std::size_t downloads = 0;
    std::size_t candidates = 0;     ///< complete seeds that are being checked or stored
    std::size_t writes = 0;         ///< not answered yet
    std::size_t equivocations = 0;  ///< proofs of the owners that we have as peers
};

struct Recipient {
    SeedVersion version{};
    WallTime lease_until{};  ///< end of the last lease that it may have
};

/// Where our own exit stands.
struct ExitProgress {
    bool begun = false;
    bool durable = false;    ///< a crash cannot undo it any more
    bool announced = false;  ///< all that we held is erased, and the notice goes out
    bool complete = false;
    bool given_up = false;
    bool met = false;  ///< it came from a peer: a copy of this identity has left
    SignedBytes notice;
    std::map<NodeId, Recipient> recipients;  ///< everybody who was ever served
    std::map<NodeId, SignedBytes> receipts;  ///< durable ones
};

enum class SeedState { checking, in_use, quarantined, lease_ended, held_aside };
[[nodiscard]] std::string_view name_of(SeedState state);

struct HeldSeedStatus {
    NodeId owner;
    SeedVersion version{};
    std::string architecture;
    std::size_t bytes = 0;
    SeedState state{};
    std::string detail;
    WallTime lease_until{};
};

/// `former`: removed by the user; `left`: its exit is known here.
enum class PeerState { down, connecting, up, suspect, former, left };
[[nodiscard]] std::string_view name_of(PeerState state);
enum class PeerSource { config, added, membership };
[[nodiscard]] std::string_view name_of(PeerSource source);

struct PeerStatus {
    NodeId id;
    std::optional<std::string> endpoint;
    PeerState state{};
    PeerSource source{};
};

struct OwnSeedStatus {
    SeedVersion version{};
    std::string architecture;
    std::size_t bytes = 0;
    WallTime lease_until{};
};

/// One node's protocol state. Not thread-safe: one thread owns it.
class Engine {
  public:
    /// `identity` must outlive the engine. `state` comes from storage.
    Engine(const Identity& identity, EngineConfig config, LoadedState state);

    /// Never throws on any input from a peer.
    [[nodiscard]] std::vector<Effect> step(const Input& input, Now now);

    /// The gate at `rebuild`, asked right before a prepared seed joins the ensemble.
    [[nodiscard]] bool may_use(const NodeId& owner, SeedVersion version) const;

    [[nodiscard]] const NodeId& id() const { return identity_.id(); }
    /// Owners and versions in use.
    [[nodiscard]] std::map<NodeId, SeedVersion> seeds_in_use() const;
    /// All seeds of others that are here complete, in use or not, by owner.
    [[nodiscard]] std::vector<HeldSeedStatus> held_seeds() const;
    [[nodiscard]] std::vector<PeerStatus> peers() const;
    [[nodiscard]] std::optional<OwnSeedStatus> own_seed() const;
    [[nodiscard]] bool has_tombstone(const NodeId& owner) const { return exits_.contains(owner); }
    [[nodiscard]] std::vector<NodeId> tombstones() const;
    [[nodiscard]] std::size_t established_peers() const { return session_of_.size(); }
    [[nodiscard]] ExitProgress own_exit() const;
    [[nodiscard]] const EngineCounters& counters() const { return counters_; }
    [[nodiscard]] EngineSizes sizes() const;
    [[nodiscard]] const EngineConfig& config() const { return config_; }

  private:
    struct Peer {
        CurvePublicKey key;  ///< of its id; costs an inversion to find
        std::optional<std::string> endpoint;
        PeerSource source = PeerSource::config;
        bool former = false;  ///< removed; only our own exit still concerns it
    };
    /// A comparison of known exits that we began.
    struct Comparison {
        DigestSalt salt;
        std::vector<BurntId> known_there;
    };
    struct Session {
        NodeId peer;  ///< known from the start when dialled, from Hello otherwise
        CurvePublicKey key;
        bool dialled = false;
        bool established = false;
        bool suspect = false;
        std::array<std::uint64_t, kLanes> last_out{};  ///< sequence numbers, for each lane
        std::array<std::uint64_t, kLanes> last_in{};
        SteadyTime last_heard{};
        SteadyTime last_sent{};
        std::vector<Get> waiting_gets;  ///< until the recipient is on record
        std::optional<Comparison> comparison;
        std::optional<DigestSalt> answered;  ///< the comparison of the peer's that it may ask notices for
        std::optional<SteadyTime> last_answer;
    };
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
    /// A seed of somebody else that is complete: being checked, being stored, or in place.
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
    /// Somebody else's exit. The tombstone counts from the moment it is here, durable or not.
    struct PeerExit {
        SignedBytes notice;
        SeedVersion erased_version{};
        bool tombstone_durable = false;
        bool passed_on = false;
        bool erase_asked = false;
        bool erased = false;
        std::optional<NodeId> heard_from;  ///< who need not be told
    };
    enum class OwnExitStage { storing, erasing, storing_erasure, announced };
    struct OwnExit {
        SignedBytes notice;
        OwnExitStage stage = OwnExitStage::storing;
        std::map<NodeId, SeedVersion> erasing;  ///< what we held when the exit began
        SteadyTime next_retry{};
        std::chrono::milliseconds backoff{};
        bool complete = false;
        bool given_up = false;
        bool met = false;
        bool retiring = false;
        std::optional<std::string> retires_for;  ///< why, once the seeds of those who left before are erased
    };
    struct OwnSeed {
        SeedRecord record;
        SignedBytes signed_record;
        SharedSeedBytes payload;
        bool durable = false;
    };
    struct OwnLease {
        Lease lease;
        SignedBytes signed_lease;
    };
    /// Live connections of one peer that a newer one of the same peer ended.
    struct Replacements {
        std::uint32_t count = 0;
        SteadyTime since{};
        std::optional<SteadyTime> told_at;
    };
    struct Blocked {
        SteadyTime until{};
        std::chrono::milliseconds last_period{};
    };
    /// WipeSeed effects that are not answered yet.
    struct Wiping {
        int pending = 0;
        SeedVersion version{};
    };
    struct Allowances {
        Allowance frames{kFrameBurst, kFramesPerSecond};
        Allowance bytes{kByteBurst, kBytesPerSecond};
        Allowance chunk_requests{kChunkRequestBurst, kChunkRequestsPerSecond};
        Allowance new_seeds{kNewSeedBurst, kNewSeedsPerSecond};
        Allowance introductions{kMaxIntroductionsPerDay, kMaxIntroductionsPerDay / 86'400.0};
    };

    // What to do when a Persist effect is done.
    struct ThenNothing {};
    struct ThenRecorded {
        NodeId peer;
        Recipient recorded;
    };
    struct ThenInstall {
        NodeId owner;
        SeedVersion version{};
    };
    struct ThenTombstoned {
        NodeId owner;
    };
    struct ThenErased {
        NodeId owner;
    };
    struct ThenRemoved {
        NodeId owner;
    };
    struct ThenExiting {};
    struct ThenLeftEverything {};
    struct ThenReceipt {
        NodeId holder;
        SignedBytes receipt;
    };
    struct ThenPublished {
        SeedVersion version{};
        Lease lease;
    };
    struct ThenLease {
        Lease lease;
    };
    struct ThenHeldLease {
        NodeId owner;
        std::uint64_t number = 0;
    };
    struct ThenRetired {
        std::string reason;
    };
    using Continuation = std::variant<ThenNothing, ThenRecorded, ThenInstall, ThenTombstoned, ThenErased,
                                      ThenRemoved, ThenExiting, ThenLeftEverything, ThenReceipt,
                                      ThenPublished, ThenLease, ThenHeldLease, ThenRetired>;
    struct PendingStore {
        std::vector<StoreOp> ops;
        Continuation then;
        std::optional<SteadyTime> retry_at;
    };

    // engine.cpp: inputs
    void on(const Start&);
    void on(const Tick&);
    void on(const Stored&);
    void on(const StoreFailed&);
    void persist(std::vector<StoreOp> ops, Continuation then);
    void finish(const Continuation& then);
    void skip_what_may_be_out();
    void tick_stores();
    void note(EventKind kind, const NodeId& subject = {}, SeedVersion version = {}, std::string detail = {});
    [[nodiscard]] std::uint64_t draw();

    // engine_sessions.cpp: connections and who is behind them
    void on(const AddNeighbour&);
    void on(const RemoveNeighbour&);
    void on(const LinkUp&);
    void on(const LinkDown&);
    void on(const Received&);
    void on(const Malformed&);
    void on(const SayBye&);
    void receive(SessionId id, Session& session, Message message);
    void handle_hello(SessionId id, const CurvePublicKey& key, std::uint64_t sequence, const Hello& hello);
    /// Notes the number of an arriving message. @return out_of_order when it is not above the last one of its
    /// lane.
    [[nodiscard]] Result<void> count_in(Session& session, Lane lane, std::uint64_t sequence) const;
    void handle_nack(SessionId id, Session& session, const Nack& nack);
    void establish(SessionId id, Session& session);
    void count_replacement(const NodeId& peer, const Session& replaced);
    void remove_session(SessionId id);
    /// `key` by value: it usually lives in the session that ends here.
    void drop_peer(SessionId id, CurvePublicKey key, const Error& why);
    [[nodiscard]] bool is_blocked(const CurvePublicKey& key) const;
    [[nodiscard]] bool is_neighbour(const NodeId& peer) const;
    /// Established or not.
    [[nodiscard]] bool has_session(const NodeId& peer) const;
    /// A membership that the network key signed for `member`.
    [[nodiscard]] bool shows_membership(const NodeId& member,
                                        const std::optional<SignedBytes>& signed_by) const;
    void allow_neighbours();
    void know_peer(const NodeId& peer, std::optional<std::string> endpoint, PeerSource source,
                   bool former = false);
    void tick_sessions();
    void redial(const NodeId& peer);
    void dial_who_is_missing();
    [[nodiscard]] Session* established_session(const NodeId& peer);
    void send(SessionId id, Session& session, Message message);
    void send_once(SessionId id, Message message);
    void send_to(const NodeId& peer, const Message& message);
    void send_hello(SessionId id, Session& session, bool answer);
    [[nodiscard]] Allowances& allowances_of(const NodeId& peer) { return allowances_[peer]; }

    // engine_seeds.cpp: publishing, serving and fetching seeds
    void on(const PublishSeed&);
    void on(const SeedChecked&);
    void on(const SeedJudged&);
    [[nodiscard]] Admission ask_gate(const NodeId& owner, SeedVersion version, AdmissionPoint point) const;
    [[nodiscard]] Result<SeedRecord> record_in(const NodeId& owner, const SignedBytes& signed_record) const;
    void handle_have(SessionId id, Session& session, const Have& have);
    [[nodiscard]] bool is_equivocation(const NodeId& owner, const SeedRecord& record,
                                       const SignedBytes& signed_record);
    void handle_get(SessionId id, Session& session, const Get& get);
    void handle_chunk(SessionId id, Session& session, const Chunk& chunk);
    void answer_get(SessionId id, Session& session, const Get& get);
    void serve(SessionId id, Session& session, const Get& get);
    void ask_for_more(SessionId id, Session& session, Fetch& fetch);
    void tick_fetches();
    void load_held_seeds();
    void finish_published(SeedVersion version, const Lease& lease);
    void record_recipient(const NodeId& peer, const Recipient& needed);
    void finish_recipient(const NodeId& peer, const Recipient& recorded);
    void finish_install(const NodeId& owner, SeedVersion version);

    // engine_leases.cpp: how long a seed may be used, ours and those of others
    [[nodiscard]] Lease next_own_lease();
    void renew_own_lease();
    void finish_lease(const Lease& lease);
    void announce_to(SessionId id, Session& session);
    void announce_to_all();
    void take_lease(const Lease& lease);
    void store_held_lease(const NodeId& owner);
    void finish_held_lease(const NodeId& owner, std::uint64_t number);
    [[nodiscard]] bool lease_runs(const HeldLease& lease) const;
    /// Takes the owner's seed into use or out of it, as the gate says now.
    void refresh_use(const NodeId& owner, Held& held, EventKind when_usable = EventKind::seed_resumed);
    void clear_quarantine(const std::set<BurntId>& except);
    void tick_leases();

    // engine_exit.cpp: exits, our own and those of others
    void on(const SeedWiped&);
    void on(const BeginExit&);
    void on(const GiveUpExit&);
    void on(const SubmitNotice&);
    void handle_exit(SessionId id, Session& session, const Exit& exit);
    void meet_known_exit(const Session& session, const NodeId& owner);
    void handle_receipt(SessionId id, Session& session, const ReceiptMessage& message);
    [[nodiscard]] bool is_known_owner(const NodeId& owner) const;
    /// The same of all; what a peer names need not be a key, and to check that is dear.
    [[nodiscard]] std::set<BurntId> known_owners() const;
    void meet_own_exit(const SignedBytes& notice, const NodeId& heard_from);
    void learn_exit(const ExitNotice& notice, const SignedBytes& signed_notice,
                    std::optional<NodeId> heard_from);
    /// Stops all use of the owner's seed. @return the version that may have been stored, 0 when there was
    /// none.
    SeedVersion stop_using(const NodeId& owner);
    void begin_wipe(const NodeId& owner, SeedVersion version);
    void advance_peer_exit(const NodeId& owner, PeerExit& exit);
    void finish_erasure(const NodeId& owner);
    void finish_removal(const NodeId& owner);
    void send_receipt(const NodeId& owner, const PeerExit& exit);
    void begin_own_exit(SignedBytes notice, bool met);
    void begin_erasing_everything();
    void leave_when_wiped();
    void announce_exit();
    void reach_former_recipients();
    bool let_in_again(const NodeId& peer);
    void send_notice_where_due();
    void check_complete();
    [[nodiscard]] bool somebody_keeps_our_exit() const;
    void retire(std::string reason);
    [[nodiscard]] bool erases_for_others() const;
    void tick_exit();

    // engine_gossip.cpp: comparing the exits we know with those our neighbours know
    void handle_digest(SessionId id, Session& session, const DigestMessage& digest);
    void handle_delta(SessionId id, Session& session, const Delta& delta);
    void finish_comparison(SessionId id, Session& session, std::uint64_t buckets);
    void send_delta(SessionId id, Session& session, const DigestSalt& salt, DeltaPart part,
                    std::uint64_t buckets, const std::vector<BurntId>& ids);
    void send_notices(SessionId id, Session& session, std::vector<BurntId> ids);
    void begin_comparison(SessionId id, Session& session);
    void compared_with(const NodeId& peer, bool all);
    void doubt_vouchers();
    [[nodiscard]] bool is_vouched_for(const NodeId& owner) const;
    [[nodiscard]] bool will_do_alone(const NodeId& peer) const;
    [[nodiscard]] bool has_other_neighbour(const NodeId& peer) const;
    void tick_comparisons();
    /// Sorted ids of all owners whose exit is durable here, and our own once it is announced.
    [[nodiscard]] std::vector<BurntId> burnt_ids() const;

    const Identity& identity_;
    EngineConfig config_;
    std::map<NodeId, Peer> peers_;
    bool started_ = false;
    SteadyTime started_at_{};

    std::map<SessionId, Session> sessions_;
    std::map<NodeId, SessionId> session_of_;  ///< established ones, the newest for each peer
    std::map<NodeId, Replacements> replacements_;
    std::map<CurvePublicKey, Blocked> blocked_;
    std::map<NodeId, SteadyTime> redial_at_;
    std::set<NodeId> missing_;  ///< had no session at the last check
    std::set<NodeId> dialled_out_of_turn_;
    SteadyTime next_dial_check_{};
    std::map<NodeId, Allowances> allowances_;

    std::optional<OwnSeed> own_seed_;
    std::uint64_t last_own_version_ = 0;   ///< the highest that may be in use anywhere
    std::optional<OwnLease> own_lease_;    ///< durable
    std::uint64_t last_lease_number_ = 0;  ///< the highest that may be in use anywhere
    SteadyTime next_renewal_{};
    std::map<NodeId, Recipient> recipients_;          ///< on record, durable
    std::map<NodeId, Recipient> recipients_pending_;  ///< the last that is being recorded
    std::set<NodeId> announcing_;  ///< to whom our seed is announced as soon as that is on record
    std::map<NodeId, Download> downloads_;
    std::map<NodeId, Held> candidates_;  ///< complete, not yet in place
    std::map<NodeId, Held> held_;        ///< in place
    std::set<NodeId> leases_pending_;    ///< of whose seed a lease is being stored
    std::map<NodeId, SeedVersion> refused_;
    std::vector<PutHeldSeed> loaded_seeds_;         ///< from storage, until Start
    std::map<NodeId, PutHeldLease> loaded_leases_;  ///< from storage, until Start
    WallTime last_wall_{};                          ///< the latest that storage knows of
    std::set<NodeId> maybe_on_disk_;                ///< owners whose seed may be in storage
    std::map<NodeId, Wiping> wiping_;
    std::set<NodeId> removing_;  ///< removed peers whose seed is being wiped
    SteadyTime next_lease_check_{};

    std::map<NodeId, PeerExit> exits_;
    std::optional<OwnExit> own_exit_;
    std::map<NodeId, SignedBytes> receipts_;
    std::set<NodeId> receipts_pending_;            ///< of whom a receipt is being stored
    std::map<NodeId, SignedBytes> left_receipts_;  ///< ours, for those whose seeds we erased as we left
    SteadyTime next_comparison_{};
    bool restored_ = false;  ///< from a backup: exits that came after it may be unknown here
    /// While restored_: those who knew of no exit of somebody we know that was unknown here; whether of none
    /// at all.
    std::map<NodeId, bool> vouchers_;
    std::map<NodeId, std::set<SeedVersion>> equivocations_;

    std::map<Ticket, PendingStore> stores_;
    Ticket next_ticket_ = 1;
    std::uint64_t next_ping_ = 1;
    std::uint64_t random_state_ = 0;
    Now now_;
    std::vector<Effect> effects_;
    EngineCounters counters_;
};

}  // namespace unlearn::protocol
