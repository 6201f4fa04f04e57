#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/engine/fetch.hpp"
#include "protocol/identity.hpp"
#include "protocol/messages.hpp"

/// What goes into an engine and what comes out of it.
namespace unlearn::protocol {

using SessionId = std::uint64_t;  ///< one connection's life; never reused
using Ticket = std::uint64_t;     ///< one Persist effect

struct Now {
    SteadyTime steady{};  ///< boot-time clock: never goes back, and counts suspend
    WallTime wall{};      ///< for people, and to end a lease in time; never to prolong one
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
    bool remember = false;  ///< also after a restart
};
/// Exchange nothing with the peer any more and erase its seed. It hears of our exit if it ever got ours.
struct RemoveNeighbour {
    NodeId peer;
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
/// Answer to CheckSeed: `problem` says why the seed is unusable, `aside` why it is kept out of the ensemble.
struct SeedChecked {
    NodeId owner;
    SeedVersion version{};
    std::optional<std::string> problem;
    std::optional<std::string> aside;
};
/// A held seed was judged again, because our own model or data changed.
struct SeedJudged {
    NodeId owner;
    SeedVersion version{};
    std::optional<std::string> aside;
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
/// No more retries. Holders that have not sent a receipt are missing.
struct GiveUpExit {};
/// A notice that a person submits: the sealed exit of a lost device. It is ignored when it is not valid.
struct SubmitNotice {
    SignedBytes notice;
};
/// We disconnect and will be back.
struct SayBye {};

using Input = std::variant<Start, AddNeighbour, RemoveNeighbour, Tick, LinkUp, LinkDown, Received, Malformed,
                           Stored, StoreFailed, SeedChecked, SeedJudged, SeedWiped, PublishSeed, BeginExit,
                           GiveUpExit, SubmitNotice, SayBye>;

// ---------------------------------------------------------------- effects

struct Dial {
    PeerAddress peer;
};
struct CloseSession {
    SessionId session = 0;
};
/// Stop dialling the peer; its sessions are over.
struct HangUp {
    NodeId peer;
};
/// Exactly these keys may connect.
struct Allow {
    std::vector<CurvePublicKey> keys;
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
/// Take the seed that CheckSeed prepared, or that was suspended, into the ensemble. Ask `Engine::may_use`
/// right before.
struct InstallSeed {
    NodeId owner;
    SeedVersion version{};
};
/// Swap to an ensemble without any seed of the owner, at once, and keep `version` prepared.
struct SuspendSeed {
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
    peer_suspect,  ///< silent for a while
    peer_down,
    peer_dropped,  ///< broke the protocol; `detail` says how
    seed_published,
    seed_installed,
    seed_refused,
    seed_suspended,  ///< out of use for a while; `detail` says why
    seed_resumed,
    lease_renewed,   ///< our own; `detail` is its number
    equivocation,    ///< two different records with one owner and version
    exit_begun,      ///< our own
    exit_announced,  ///< our own notice goes out; everything that we held is erased
    receipt_stored,  ///< a holder's receipt for our own exit
    exit_complete,   ///< receipts of all recipients are stored
    exit_learned,    ///< of another node
    seed_erased,     ///< the exited owner's seed is gone durably; our receipt is signed
    own_exit_met,    ///< our own tombstone came from a peer although we are not exiting
    retired,         ///< this identity is finished, durably; `detail` says why. The process must stop.
    store_failed,
    peer_unresolved,  ///< the name of its host cannot be looked up; told by the transport
    peer_copied,      ///< two processes seem to use its identity; they end each other's connections
};
[[nodiscard]] std::string_view name_of(EventKind kind);

/// For logs, metrics and tests; nothing depends on it.
struct Event {
    EventKind kind{};
    NodeId subject;
    SeedVersion version{};
    std::string detail;
};

using Effect = std::variant<Dial, CloseSession, HangUp, Allow, Send, Persist, CheckSeed, InstallSeed,
                            SuspendSeed, DropSeed, WipeSeed, Event>;

}  // namespace unlearn::protocol
