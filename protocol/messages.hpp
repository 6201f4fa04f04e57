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
#include "protocol/identity.hpp"
#include "protocol/limits.hpp"

/// What nodes say to each other, and its bytes. wire.md is the specification; this is its implementation.
namespace unlearn::protocol {

/// Numbers are append-only.
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
};

/// Messages of a more urgent lane may overtake others, so that a large seed cannot delay an exit. Each lane
/// of a connection counts its own sequence numbers, from 1.
enum class Lane : std::uint8_t {
    urgent = 0,
    normal = 1,
    bulk = 2,
};
inline constexpr std::size_t kLanes = 3;

/// One row for each kind of message, in the order of their numbers: what people call it, and its lane.
struct MessageKind {
    Kind kind{};
    std::string_view name;
    Lane lane{};
};
inline constexpr std::array<MessageKind, 12> kMessageKinds{{{Kind::hello, "hello", Lane::urgent},
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
                                                            {Kind::delta, "delta", Lane::normal}}};
/// "unknown" for a number that is no kind.
[[nodiscard]] std::string_view name_of(Kind kind);
/// Normal for a number that is no kind.
[[nodiscard]] Lane lane_of(Kind kind);

/// First message on a connection, in both directions.
struct Hello {
    std::uint8_t oldest_version = kProtocolVersion;
    std::uint8_t newest_version = kProtocolVersion;
    NetworkId network;
    NodeId sender;
    bool answer = false;                    ///< true when this Hello answers one; an answer is not answered
    std::optional<SignedBytes> membership;  ///< for peers that do not have the sender on their list
};

/// A disconnect, not an exit: the sender will be back.
struct Bye {};

struct Ping {
    std::uint64_t token = 0;
};
struct Pong {
    std::uint64_t token = 0;
};

/// "I have a seed, and you may use it so long": the sender's own signed SeedRecord and Lease, of one version.
struct Have {
    SignedBytes record;
    SignedBytes lease;
};

/// Asks the owner for `count` chunks of its seed from `first` on.
struct Get {
    SeedVersion version{};
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

/// One chunk of the sender's own seed; its bytes are the message's payload frame.
struct Chunk {
    SeedVersion version{};
    std::uint32_t index = 0;
    Bytes payload;
};

enum class NackReason : std::uint8_t {
    hello_first = 1,      ///< the session is unknown here: say Hello
    wrong_network = 2,    ///< another network's member
    wrong_version = 3,    ///< no protocol version in common
    no_such_version = 4,  ///< Get for a version that is not served (any more)
    not_authorised = 5,
};

struct Nack {
    NackReason reason{};
    std::uint64_t about = 0;  ///< the seed version in question, else 0
};

/// A signed ExitNotice, from its owner or passed on.
struct Exit {
    SignedBytes notice;
};

/// A signed Receipt of the sender.
struct ReceiptMessage {
    SignedBytes receipt;
};

/// An id as it travels in Delta: compared, never used as a key.
using BurntId = FixedBytes<32, struct BurntIdTag>;
using BucketHash = FixedBytes<16, struct BucketHashTag>;
using DigestSalt = FixedBytes<16, struct DigestSaltTag>;

/// One hash for each bucket of exited owners that is not empty (see exit_digest.hpp).
struct ExitDigest {
    std::uint64_t occupied = 0;      ///< bit i: bucket i is not empty
    std::vector<BucketHash> hashes;  ///< of the occupied buckets, in their order
};

/// What the sender knows of exits. Answered by Delta.
struct DigestMessage {
    DigestSalt salt;  ///< fresh; the key of the hashes, and it names the comparison
    ExitDigest exits;
};

enum class DeltaPart : std::uint8_t {
    known = 1,   ///< answer to Digest: the ids that the sender knows in every bucket that differs
    wanted = 2,  ///< answer to that: ids whose notices the sender asks for
};

/// How the exits that two nodes know differ. Notices travel as Exit.
struct Delta {
    DigestSalt salt;
    DeltaPart part{};
    bool last = true;           ///< of the messages of this part
    std::uint64_t buckets = 0;  ///< bit i: bucket i differs; the same in all messages of part `known`
    std::vector<BurntId> ids;   ///< at most kMaxDeltaIds
};

using Message =
    std::variant<Hello, Bye, Ping, Pong, Have, Get, Chunk, Nack, Exit, ReceiptMessage, DigestMessage, Delta>;

static_assert(std::variant_size_v<Message> == kMessageKinds.size());

/// A message as it travels: header, body and, for Chunk alone, payload.
using Frames = std::vector<Bytes>;

struct Envelope {
    std::uint64_t sequence = 0;
    Message message;
};

[[nodiscard]] Kind kind_of(const Message& message);
[[nodiscard]] Frames encode(const Envelope& envelope);

/// @return malformed, too_large, wrong_version or unknown_kind, with what was wrong.
[[nodiscard]] Result<Envelope> decode(Frames frames);

}  // namespace unlearn::protocol
