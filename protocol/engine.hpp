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
#include "protocol/durable.hpp"
#include "protocol/fetch.hpp"
#include "protocol/identity.hpp"
#include "protocol/messages.hpp"
#include "protocol/records.hpp"

/// The protocol as a pure step function: an input and the time go in, effects come out. No sockets, files,
/// threads or clocks; whoever owns an engine carries out its effects in order and feeds the answers back as
/// inputs.
namespace unlearn::protocol {

using SessionId = std::uint64_t;  ///< one connection's life; never reused
using Ticket = std::uint64_t;     ///< one Persist effect

struct Now {
    SteadyTime steady{};  ///< never goes back
    WallTime wall{};      ///< for people; nothing depends on it
};

// ---------------------------------------------------------------- inputs

/// The first input: dial, and put to use what storage gave back.
struct Start {};
struct Neighbour {
    NodeId id;
    std::optional<std::string> endpoint;  ///< where it can be dialled, if it can
};
/// One more peer to exchange seeds with, or a new endpoint of a known one.
struct AddNeighbour {
    Neighbour neighbour;
};
/// Time passes; expected every kTickInterval.
struct Tick {};
/// A connection that we dialled is usable. A reconnect is a new session.
struct LinkUp {
    SessionId session = 0;
    NodeId peer;
};
struct LinkDown {
    SessionId session = 0;
};
/// A message; `key` is the CURVE key that the transport authenticated for it.
struct Received {
    SessionId session = 0;
    CurvePublicKey key;
    Frames frames;
};
/// The transport refused what a peer sent before it became a message.
struct Malformed {
    SessionId session = 0;
    CurvePublicKey key;
    std::string reason;
};
struct Stored {
    Ticket ticket = 0;
};
struct StoreFailed {
    Ticket ticket = 0;
    std::string reason;
};
/// Answer to CheckSeed; `problem` says why the seed is unusable.
struct SeedChecked {
    NodeId owner;
    SeedVersion version{};
    std::optional<std::string> problem;
};
/// Answer to WipeSeed: no prediction uses the owner's seed any more and its memory is overwritten.
struct SeedWiped {
    NodeId owner;
};
/// Our own new seed; it gets the next version.
struct PublishSeed {
    std::string architecture;
    SharedSeedBytes payload;
};
/// We leave for ever.
struct BeginExit {};
/// We disconnect and will be back.
struct SayBye {};

using Input = std::variant<Start, AddNeighbour, Tick, LinkUp, LinkDown, Received, Malformed, Stored,
                           StoreFailed, SeedChecked, SeedWiped, PublishSeed, BeginExit, SayBye>;

// ---------------------------------------------------------------- effects

struct Dial {
    PeerAddress peer;
};
struct CloseSession {
    SessionId session = 0;
};
/// The transport may let messages of a more urgent lane overtake others, and keeps the order within a lane.
struct Send {
    SessionId session = 0;
    Frames frames;
    Lane lane = Lane::normal;
};
/// Make `ops` durable in one transaction, in the order of the effects; answer Stored or StoreFailed.
struct Persist {
    Ticket ticket = 0;
    std::vector<StoreOp> ops;
};
/// Judge a complete seed and prepare it for use, without using it; answer SeedChecked.
struct CheckSeed {
    NodeId owner;
    SeedVersion version{};
    std::string architecture;
    SharedSeedBytes payload;
};
/// Take the seed that CheckSeed prepared into the ensemble. Ask `Engine::may_use` right before.
struct InstallSeed {
    NodeId owner;
    SeedVersion version{};
};
/// Swap to an ensemble without the owner's seed, at once, and forget what CheckSeed prepared for it.
struct DropSeed {
    NodeId owner;
};
/// Let running predictions drain, overwrite the memory, answer SeedWiped.
struct WipeSeed {
    NodeId owner;
};

enum class EventKind {
    peer_up,
    peer_down,
    peer_dropped,  ///< broke the protocol; `detail` says how
    seed_published,
    seed_installed,
    seed_refused,
    equivocation,    ///< two different records with one owner and version
    exit_begun,      ///< our own
    exit_announced,  ///< our own notice goes out; everything that we held is erased
    receipt_stored,  ///< a holder's receipt for our own exit
    exit_complete,   ///< receipts of all recipients are stored
    exit_learned,    ///< somebody else's
    seed_erased,     ///< the exited owner's seed is gone durably; our receipt is signed
    own_exit_met,    ///< our own tombstone came from a peer although we are not exiting
    store_failed,
};
[[nodiscard]] std::string_view name_of(EventKind kind);

/// For logs, metrics and tests; nothing depends on it.
struct Event {
    EventKind kind{};
    NodeId subject;
    SeedVersion version{};
    std::string detail;
};

using Effect =
    std::variant<Dial, CloseSession, Send, Persist, CheckSeed, InstallSeed, DropSeed, WipeSeed, Event>;

// ---------------------------------------------------------------- the engine

struct EngineConfig {
    NetworkId network;
    std::vector<Neighbour> neighbours;
    bool reachable = true;  ///< neighbours can dial us
};

struct EngineCounters {
    std::uint64_t peers_dropped = 0;
    std::uint64_t messages_ignored = 0;
    std::uint64_t seeds_refused = 0;
    std::uint64_t store_failures = 0;
};

/// Where our own exit stands.
struct ExitProgress {
    bool begun = false;
    bool complete = false;
    SignedBytes notice;
    std::map<NodeId, SeedVersion> recipients;  ///< everybody who was ever served
    std::map<NodeId, SignedBytes> receipts;    ///< durable ones
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
    [[nodiscard]] bool has_tombstone(const NodeId& owner) const { return exits_.contains(owner); }
    [[nodiscard]] std::size_t established_peers() const { return session_of_.size(); }
    [[nodiscard]] ExitProgress own_exit() const;
    [[nodiscard]] const EngineCounters& counters() const { return counters_; }

  private:
    struct Session {
        NodeId peer;  ///< known from the start when dialled, from Hello otherwise
        CurvePublicKey key;
        bool dialled = false;
        bool established = false;
        std::array<std::uint64_t, kLanes> last_out{};  ///< sequence numbers, for each lane
        std::array<std::uint64_t, kLanes> last_in{};
        SteadyTime last_heard{};
        SteadyTime last_sent{};
        std::vector<Get> waiting_gets;  ///< until the recipient is on record
    };
    /// A seed of somebody else that is complete: being checked, being stored, or in use.
    struct Held {
        SeedRecord record;
        SignedBytes signed_record;
        SharedSeedBytes payload;  ///< only until it is stored and in use
    };
    /// Somebody else's exit. The tombstone counts from the moment it is here, durable or not.
    struct PeerExit {
        SignedBytes notice;
        SeedVersion erased_version{};
        bool tombstone_durable = false;
        bool memory_wiped = false;
        bool passed_on = false;
        bool erase_asked = false;
        bool erased = false;
        std::optional<NodeId> heard_from;  ///< who need not be told
    };
    enum class OwnExitStage { storing, erasing, announced };
    struct OwnExit {
        SignedBytes notice;
        OwnExitStage stage = OwnExitStage::storing;
        std::map<NodeId, SeedVersion> erasing;  ///< what we held when the exit began
        std::set<NodeId> not_wiped;
        SteadyTime next_retry{};
        std::chrono::milliseconds backoff{};
        bool complete = false;
    };
    struct OwnSeed {
        SeedRecord record;
        SignedBytes signed_record;
        SharedSeedBytes payload;
        bool durable = false;
    };
    struct Blocked {
        SteadyTime until{};
        std::chrono::milliseconds last_period{};
    };

    // What to do when a Persist effect is done.
    struct ThenServe {
        NodeId peer;
        SeedVersion version{};
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
    struct ThenExiting {};
    struct ThenLeftEverything {};
    struct ThenReceipt {
        NodeId holder;
        SignedBytes receipt;
    };
    struct ThenPublished {
        SeedVersion version{};
    };
    using Continuation = std::variant<ThenServe, ThenInstall, ThenTombstoned, ThenErased, ThenExiting,
                                      ThenLeftEverything, ThenReceipt, ThenPublished>;
    struct PendingStore {
        std::vector<StoreOp> ops;
        Continuation then;
        std::optional<SteadyTime> retry_at;
    };

    // engine.cpp: inputs
    void on(const Start&);
    void on(const AddNeighbour&);
    void on(const Tick&);
    void on(const LinkUp&);
    void on(const LinkDown&);
    void on(const Received&);
    void on(const Malformed&);
    void on(const Stored&);
    void on(const StoreFailed&);
    void on(const SeedChecked&);
    void on(const SeedWiped&);
    void on(const PublishSeed&);
    void on(const BeginExit&);
    void on(const SayBye&);

    // engine_sessions.cpp: connections and who is behind them
    void receive(SessionId id, Session& session, Message message);
    void handle_hello(SessionId id, const CurvePublicKey& key, std::uint64_t sequence, const Hello& hello);
    /// Notes the number of an arriving message. @return out_of_order when it is not above the last one of its
    /// lane.
    [[nodiscard]] Result<void> count_in(Session& session, Lane lane, std::uint64_t sequence) const;
    void handle_nack(SessionId id, Session& session, const Nack& nack);
    void establish(SessionId id, Session& session);
    void remove_session(SessionId id);
    /// `key` by value: it usually lives in the session that ends here.
    void drop_peer(SessionId id, CurvePublicKey key, const Error& why);
    [[nodiscard]] bool is_blocked(const CurvePublicKey& key) const;
    void tick_sessions();
    void redial(const NodeId& peer);
    [[nodiscard]] Session* established_session(const NodeId& peer);
    void send(SessionId id, Session& session, Message message);
    void send_once(SessionId id, Message message);
    void send_to(const NodeId& peer, const Message& message);
    void send_hello(SessionId id, Session& session, bool answer);

    // engine_seeds.cpp: publishing, serving and fetching seeds
    [[nodiscard]] Admission ask_gate(const NodeId& owner, SeedVersion version, AdmissionPoint point) const;
    void handle_have(SessionId id, Session& session, const Have& have);
    void handle_get(SessionId id, Session& session, const Get& get);
    void handle_chunk(SessionId id, Session& session, const Chunk& chunk);
    void serve(SessionId id, Session& session, const Get& get);
    void ask_for_more(SessionId id, Session& session, Fetch& fetch);
    void tick_fetches();
    void load_held_seeds();
    void announce_to(SessionId id, Session& session);
    void finish_published(SeedVersion version);
    void finish_recipient(const NodeId& peer, SeedVersion version);
    void finish_install(const NodeId& owner, SeedVersion version);

    // engine_exit.cpp: exits, our own and those of others
    void handle_exit(SessionId id, Session& session, const Exit& exit);
    void handle_receipt(SessionId id, Session& session, const ReceiptMessage& message);
    void learn_exit(const ExitNotice& notice, const SignedBytes& signed_notice,
                    std::optional<NodeId> heard_from);
    /// Stops all use of the owner's seed. @return the version that may have been stored, 0 when there was
    /// none.
    SeedVersion stop_using(const NodeId& owner);
    void advance_peer_exit(const NodeId& owner, PeerExit& exit);
    void finish_erasure(const NodeId& owner);
    void send_receipt(const NodeId& owner, const PeerExit& exit);
    void begin_erasing_everything();
    void leave_when_wiped();
    void announce_exit();
    void send_notice_where_due();
    void check_complete();
    void tick_exit();

    void persist(std::vector<StoreOp> ops, Continuation then);
    void finish(const Continuation& then);
    void tick_stores();
    void note(EventKind kind, const NodeId& subject = {}, SeedVersion version = {}, std::string detail = {});

    const Identity& identity_;
    EngineConfig config_;
    std::map<NodeId, Neighbour> neighbours_;
    bool started_ = false;

    std::map<SessionId, Session> sessions_;
    std::map<NodeId, SessionId> session_of_;  ///< established ones, the newest for each peer
    std::map<CurvePublicKey, Blocked> blocked_;
    std::map<NodeId, SteadyTime> redial_at_;

    std::optional<OwnSeed> own_seed_;
    std::map<NodeId, SeedVersion> recipients_;          ///< on record, durable
    std::map<NodeId, SeedVersion> recipients_pending_;  ///< being recorded
    std::map<NodeId, Fetch> fetches_;
    std::map<NodeId, Held> candidates_;  ///< complete, not yet in use
    std::map<NodeId, Held> held_;        ///< in use
    std::map<NodeId, SeedVersion> refused_;
    std::vector<PutHeldSeed> loaded_seeds_;  ///< from storage, until Start
    std::set<NodeId> maybe_on_disk_;         ///< owners whose seed may be in storage

    std::map<NodeId, PeerExit> exits_;
    std::optional<OwnExit> own_exit_;
    std::map<NodeId, SignedBytes> receipts_;

    std::map<Ticket, PendingStore> stores_;
    Ticket next_ticket_ = 1;
    std::uint64_t next_ping_ = 1;
    Now now_;
    std::vector<Effect> effects_;
    EngineCounters counters_;
};

}  // namespace unlearn::protocol
