#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/durable.hpp"
#include "protocol/engine/fetch.hpp"
#include "protocol/identity.hpp"
#include "protocol/messages.hpp"

/// What goes into an engine, and what comes out of it.
namespace unlearn::protocol {

using SessionId = std::uint64_t;  ///< names one connection while it lives; never reused
using Ticket = std::uint64_t;     ///< names one Persist effect

/// The time of one step.
struct Now {
    SteadyTime steady{};  ///< the boot-time clock: it never goes back, and suspended time counts
    WallTime wall{};      ///< for people, and to end a lease on time; it never prolongs a lease
};

// ---------------------------------------------------------------- inputs

/// The first input. The engine dials its peers and goes on with what storage gave back.
struct Start {};
/// A peer to exchange seeds with.
struct Neighbour {
    NodeId id;
    std::optional<std::string> endpoint;  ///< where it can be dialled, or nothing when it cannot
};
/// Adds a peer to exchange seeds with, or changes the endpoint of a known one.
struct AddNeighbour {
    Neighbour neighbour;
    bool remember = false;  ///< keep the peer after a restart
};
/// Exchanges nothing with the peer any more and erases its seed. If the peer ever got our seed, it will still
/// hear of our exit.
struct RemoveNeighbour {
    NodeId peer;
};
/// Time passes. The engine expects this every kTickInterval.
struct Tick {};
/// A connection that we dialled is usable. A reconnect is a new session.
struct LinkUp {
    SessionId session = 0;
    NodeId peer;
};
/// A connection has ended.
struct LinkDown {
    SessionId session = 0;
};
/// A message from a peer. `key` is the CURVE key that the transport authenticated for it.
struct Received {
    SessionId session = 0;
    CurvePublicKey key;
    Frames frames;
};
/// The transport refused bytes from a peer before they became a message.
struct Malformed {
    SessionId session = 0;
    CurvePublicKey key;
    std::string reason;
};
/// The write with this ticket is durable.
struct Stored {
    Ticket ticket = 0;
};
/// The write with this ticket failed. `for_good` says that it fails however often it is tried: the disk is
/// well, but it can never keep this value. Any other failure may pass.
struct StoreFailed {
    Ticket ticket = 0;
    std::string reason;
    bool for_good = false;
};
/// Answers CheckSeed. `problem` says why the seed is unusable, `aside` why it is kept out of the ensemble.
struct SeedChecked {
    NodeId owner;
    SeedVersion version{};
    std::optional<std::string> problem;
    std::optional<std::string> aside;
};
/// A held seed was judged again, because our own model or data changed. `aside` is as in SeedChecked.
struct SeedJudged {
    NodeId owner;
    SeedVersion version{};
    std::optional<std::string> aside;
};
/// Answers WipeSeed: no prediction uses the owner's seed any more, and its memory is overwritten.
struct SeedWiped {
    NodeId owner;
};
/// Publishes our own new seed, which gets the next version.
struct PublishSeed {
    std::string architecture;
    SharedSeedBytes payload;
};
/// Begins our own exit, which is final.
struct BeginExit {};
/// Ends the wait for receipts of our exit. Holders that have not sent one stay missing.
struct GiveUpExit {};
/// A person submits a notice, such as the sealed exit of a lost device. An invalid notice is ignored.
struct SubmitNotice {
    SignedBytes notice;
};
/// The operator says that no other copy of this node runs and that its state is to be used as it is. It ends
/// the wait of a restored or copied node.
struct ClaimState {};
/// A person submits what the network's key has signed: a succession or a revocation. An invalid statement is
/// ignored.
struct SubmitNetworkStatement {
    NetworkStatementKind kind{};
    SignedBytes statement;
};
/// Our own membership was renewed. One that is not genuine, or not newer, is ignored.
struct RenewMembership {
    SignedBytes membership;
};
/// The operator decides that the network's keys lead to `key`.
struct FollowNetworkKey {
    NodeId key;
};
/// Tells all peers that we disconnect and will be back.
struct SayBye {};

/// Everything that an engine reacts to.
using Input =
    std::variant<Start, AddNeighbour, RemoveNeighbour, Tick, LinkUp, LinkDown, Received, Malformed, Stored,
                 StoreFailed, SeedChecked, SeedJudged, SeedWiped, PublishSeed, BeginExit, GiveUpExit,
                 SubmitNotice, SubmitNetworkStatement, RenewMembership, FollowNetworkKey, ClaimState, SayBye>;

// ---------------------------------------------------------------- effects

/// Connect to the peer.
struct Dial {
    PeerAddress peer;
};
/// End the connection of this session.
struct CloseSession {
    SessionId session = 0;
};
/// Stop dialling the peer, and end the connection that we dialled to it.
struct HangUp {
    NodeId peer;
};
/// From now on, exactly these keys may connect.
struct Allow {
    std::vector<CurvePublicKey> keys;
};
/// Send a message. The transport may let messages of a more urgent lane overtake others; it keeps the order
/// within a lane.
struct Send {
    SessionId session = 0;
    Frames frames;
    Lane lane = Lane::normal;
};
/// Make `ops` durable in one transaction and answer Stored or StoreFailed. The transactions are made in the
/// order of their effects.
struct Persist {
    Ticket ticket = 0;
    std::vector<StoreOp> ops;
};
/// Judge a complete seed, prepare it for use without using it yet, and answer SeedChecked.
struct CheckSeed {
    NodeId owner;
    SeedVersion version{};
    std::string architecture;
    SharedSeedBytes payload;
};
/// Add a seed to the ensemble. CheckSeed has prepared it, or it was suspended. Ask `Engine::may_use` right
/// before that.
struct InstallSeed {
    NodeId owner;
    SeedVersion version{};
};
/// Switch at once to an ensemble without any seed of the owner, and keep `version` prepared.
struct SuspendSeed {
    NodeId owner;
    SeedVersion version{};
};
/// Switch at once to an ensemble without the owner's seed, and forget what CheckSeed prepared for it.
struct DropSeed {
    NodeId owner;
};
/// Wait until no prediction uses the owner's seed, overwrite its memory, and answer SeedWiped.
struct WipeSeed {
    NodeId owner;
};

/// What an event reports.
enum class EventKind {
    peer_up,
    peer_suspect,  ///< the peer was silent for a while
    peer_down,
    peer_dropped,  ///< the peer broke the protocol; `detail` says how
    seed_published,
    seed_installed,
    seed_refused,
    seed_suspended,  ///< the seed goes out of use for a while; `detail` says why
    seed_resumed,
    lease_renewed,         ///< our own seed has a new lease; `detail` is its number
    equivocation,          ///< two different records have the same owner and version
    exit_begun,            ///< our own exit has begun
    exit_announced,        ///< our own notice goes out
    receipt_stored,        ///< a holder's receipt for our own exit
    exit_complete,         ///< the receipts of all recipients are stored
    exit_learned,          ///< another node has left
    member_expelled,       ///< the network's key has expelled a member
    network_key_changed,   ///< `subject` is the network's key from now on
    network_key_disputed,  ///< the network's key named two successors; `subject` is the one that came now
    seed_erased,           ///< the seed of an exited owner is durably gone; our receipt may be signed
    own_state_old,         ///< others have seen a newer state of this node: ours is an old copy
    own_copy_met,          ///< another copy of this node has started while this one runs
    own_exit_met,          ///< our own notice came from elsewhere although we are not exiting
    retired,               ///< this identity has durably retired; `detail` says why. The process must stop.
    store_failed,          ///< writes fail and are tried again: the first time, and then at growing intervals
    store_recovered,       ///< all writes that had failed are durable; `detail` counts the failures
    store_refused,         ///< what a peer sent can never be stored and is forgotten; `detail` says why
    store_impossible,  ///< a record of our own can never be stored; `detail` says why. The process must stop.
    peer_unresolved,   ///< the peer's host name cannot be looked up; the node reports this
    peer_copied,       ///< two processes seem to use one identity; each ends the other's connection
};
/// Returns the name of the kind, with hyphens: "peer-up".
[[nodiscard]] std::string_view name_of(EventKind kind);

/// Reports what happened, for logs, metrics and tests. The protocol does not depend on it.
struct Event {
    EventKind kind{};
    NodeId subject;
    SeedVersion version{};
    std::string detail;
};

/// Everything that an engine asks its owner to do. An Event only informs.
using Effect = std::variant<Dial, CloseSession, HangUp, Allow, Send, Persist, CheckSeed, InstallSeed,
                            SuspendSeed, DropSeed, WipeSeed, Event>;

}  // namespace unlearn::protocol
