#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/digest.hpp"
#include "protocol/durable.hpp"
#include "protocol/id_range.hpp"
#include "protocol/identity.hpp"
#include "protocol/limits.hpp"

/// The messages between nodes, and their bytes. This implements the specification in wire.md.
namespace unlearn::protocol {

/// The kinds of messages. Numbers are only ever added.
enum class Kind : std::uint8_t {
    hello = 1,
    bye = 2,
    ping = 3,
    pong = 4,
    have = 5,
    get = 6,
    chunk = 7,
    nack = 8,
    exit = 9,
    receipt = 10,
    digest = 11,
    delta = 12,
    state = 13,
    holders = 14,
    exit_query = 15,
    exit_answer = 16,
    network_statement = 17,
    network_digest = 18,
};

/// Messages of a more urgent lane may overtake others, so that a large seed cannot delay an exit. Each lane
/// of a connection counts its own sequence numbers, from 1.
enum class Lane : std::uint8_t {
    urgent = 0,
    normal = 1,
    bulk = 2,
};
inline constexpr std::size_t kLanes = 3;

/// One kind of message: its number, its name for people, its lane, and the version that it came with, which
/// its header names.
struct MessageKind {
    Kind kind{};
    std::string_view name;
    Lane lane{};
    std::uint8_t version = 1;
};
/// All kinds, in the order of their numbers.
inline constexpr std::array<MessageKind, 18> kMessageKinds{
    {{Kind::hello, "hello", Lane::urgent},
     {Kind::bye, "bye", Lane::urgent},
     {Kind::ping, "ping", Lane::normal},
     {Kind::pong, "pong", Lane::normal},
     {Kind::have, "have", Lane::normal},
     {Kind::get, "get", Lane::normal},
     {Kind::chunk, "chunk", Lane::bulk},
     {Kind::nack, "nack", Lane::urgent},
     {Kind::exit, "exit", Lane::urgent},
     {Kind::receipt, "receipt", Lane::urgent},
     {Kind::digest, "digest", Lane::normal},
     {Kind::delta, "delta", Lane::normal},
     {Kind::state, "state", Lane::urgent, 2},
     {Kind::holders, "holders", Lane::urgent, 2},
     {Kind::exit_query, "exit-query", Lane::normal, 2},
     {Kind::exit_answer, "exit-answer", Lane::normal, 2},
     {Kind::network_statement, "network-statement", Lane::urgent, 2},
     {Kind::network_digest, "network-digest", Lane::normal, 2}}};
/// Returns the name of the kind, or "unknown" for a number that is no kind.
[[nodiscard]] std::string_view name_of(Kind kind);
/// Returns the lane of the kind, or `normal` for a number that is no kind.
[[nodiscard]] Lane lane_of(Kind kind);
/// Returns the version that the kind came with, or 0 for a number that is no kind.
[[nodiscard]] std::uint8_t version_of(Kind kind);

/// The first message on a connection, in both directions.
struct Hello {
    std::uint8_t oldest_version = kOldestVersion;
    std::uint8_t newest_version = kNewestVersion;
    NetworkId network;
    NodeId sender;
    bool answer = false;                    ///< this Hello answers another one; an answer is never answered
    std::optional<SignedBytes> membership;  ///< for peers that do not have the sender on their allowlist
};

/// Says that the sender disconnects and will be back. It is not an exit.
struct Bye {};

/// Asks a silent peer for a Pong with the same token.
struct Ping {
    std::uint64_t token = 0;
};
/// Answers a Ping with the Ping's token.
struct Pong {
    std::uint64_t token = 0;
};

/// Announces the sender's own seed: its signed SeedRecord and Lease, of the same version.
struct Have {
    SignedBytes record;
    SignedBytes lease;
};

/// Asks the owner for `count` chunks of its seed, starting with chunk `first`.
struct Get {
    SeedVersion version{};
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

/// One chunk of the sender's own seed. Its bytes travel in the message's payload frame.
struct Chunk {
    SeedVersion version{};
    std::uint32_t index = 0;
    Bytes payload;
};

/// Why a message is refused.
enum class NackReason : std::uint8_t {
    hello_first = 1,      ///< the sender does not know the session: say Hello
    wrong_network = 2,    ///< the Hello came from a member of another network
    wrong_version = 3,    ///< the two nodes have no protocol version in common
    no_such_version = 4,  ///< the Get named a version that is not served, or not any more
    not_authorised = 5,
};

/// Refuses a message.
struct Nack {
    NackReason reason{};
    std::uint64_t about = 0;  ///< the seed version for no_such_version, otherwise 0
};

/// A signed ExitNotice, sent by its owner or passed on by another node.
struct Exit {
    SignedBytes notice;
};

/// A Receipt that the sender has signed.
struct ReceiptMessage {
    SignedBytes receipt;
};

/// The hash over the ids in one bucket.
using BucketHash = FixedBytes<16, struct BucketHashTag>;
/// The key of the bucket hashes of one comparison.
using DigestSalt = FixedBytes<16, struct DigestSaltTag>;

/// One hash for each bucket of exited owners that is not empty; see exit_digest.hpp.
struct ExitDigest {
    std::uint64_t occupied = 0;      ///< bit i says that bucket i is not empty
    std::vector<BucketHash> hashes;  ///< the hashes of the occupied buckets, in their order
};

/// A summary of the exits that the sender knows. The answer is Delta.
struct DigestMessage {
    DigestSalt salt;  ///< fresh for each comparison: the key of its hashes, and its name
    ExitDigest exits;
};

/// Which step of a comparison a Delta belongs to.
enum class DeltaPart : std::uint8_t {
    known = 1,   ///< answers Digest with all ids that the sender knows in the buckets that differ
    wanted = 2,  ///< answers `known` with the ids whose notices the sender asks for
};

/// How the exits that two nodes know differ. The notices themselves travel as Exit.
struct Delta {
    DigestSalt salt;
    DeltaPart part{};
    bool last = true;           ///< no further message of this part follows
    std::uint64_t buckets = 0;  ///< bit i says that bucket i differs; the same in all messages of `known`
    std::vector<ExitedId> ids;  ///< at most kMaxDeltaIds
};

/// The sender's newest StateStatement, and the receiver's newest one that the sender has heard of.
struct StateMessage {
    SignedBytes own;
    /// The sender's state is older than what others have seen, so its word about exits counts for less.
    bool restored = false;
    std::optional<SignedBytes> yours;
};

/// A signed HolderList, sent by its owner or passed on by another node.
struct Holders {
    SignedBytes list;
};

/// The hash that stands for the ids in a range; see exit_set.hpp.
using RangeFingerprint = FixedBytes<16, struct RangeFingerprintTag>;

/// Asks which exits the receiver knows in some ranges of ids, and for notices. Fingerprints with one
/// salt can be compared with each other.
struct ExitQuery {
    DigestSalt salt;               ///< the key of all fingerprints in this query and its answer
    std::uint64_t number = 0;      ///< the answer repeats it
    RangeFingerprint all;          ///< of all exits that the sender knows
    std::vector<IdRange> ranges;   ///< disjoint, in rising order, at most kMaxRangesAsked
    std::vector<ExitedId> wanted;  ///< whose notices the sender asks for, at most kMaxNoticesAsked
};

/// What its sender knows in one range: the ids when they are few, otherwise one fingerprint for each part
/// of the range that is not empty.
struct RangeAnswer {
    std::vector<ExitedId> ids;            ///< in rising order, at most kMaxListedIds
    std::uint16_t occupied = 0;           ///< bit i says that part i is not empty; 0 when ids are listed
    std::vector<RangeFingerprint> parts;  ///< of the occupied parts, in their order
};

/// Answers an ExitQuery. The notices that it asked for are sent before the answer, as Exit.
struct ExitAnswer {
    std::uint64_t number = 0;
    std::uint64_t count = 0;          ///< of all exits that the sender knows
    RangeFingerprint all;             ///< of all exits that the sender knows
    std::vector<RangeAnswer> ranges;  ///< one for each range of the query, in its order
};

/// What a network's key has signed.
enum class NetworkStatementKind : std::uint8_t {
    succession = 1,
    revocation = 2,
};

/// A statement of a network's key, sent by any node.
struct NetworkStatement {
    NetworkStatementKind kind{};
    SignedBytes statement;
};

/// Which step of a comparison a NetworkDigest belongs to.
enum class NetworkDigestPart : std::uint8_t {
    summary = 1,  ///< a hash over the ids of all statements that the sender knows
    known = 2,    ///< answers a summary that differs, with those ids
};

/// Compares the statements of the network's key that two nodes know. The id of one is BLAKE2b-256 of its
/// bytes. The statements themselves travel as NetworkStatement.
struct NetworkDigest {
    NetworkDigestPart part{};
    bool last = true;         ///< no further message of this part follows
    Digest summary;           ///< BLAKE2b-256 over the ids in rising order; zeros in `known`
    std::vector<Digest> ids;  ///< at most kMaxDeltaIds; none in `summary`
};

/// Any message, with the alternatives in the order of their numbers.
using Message =
    std::variant<Hello, Bye, Ping, Pong, Have, Get, Chunk, Nack, Exit, ReceiptMessage, DigestMessage, Delta,
                 StateMessage, Holders, ExitQuery, ExitAnswer, NetworkStatement, NetworkDigest>;

static_assert(std::variant_size_v<Message> == kMessageKinds.size());

/// A message as it travels: header, body and, only for Chunk, payload.
using Frames = std::vector<Bytes>;

/// A message and its sequence number within its lane.
struct Envelope {
    std::uint64_t sequence = 0;
    Message message;
};

/// Returns the kind of `message`.
[[nodiscard]] Kind kind_of(const Message& message);
/// Returns the frames of the message, ready to be sent.
[[nodiscard]] Frames encode(const Envelope& envelope);

/// Decodes frames from a peer. The error is malformed, too_large, wrong_version or unknown_kind; its detail
/// says what is wrong.
[[nodiscard]] Result<Envelope> decode(Frames frames);

}  // namespace unlearn::protocol
