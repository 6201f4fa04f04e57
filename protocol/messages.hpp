#pragma once

#include <string>
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
};
[[nodiscard]] std::string_view name_of(Kind kind);

/// Messages of a more urgent lane may overtake others, so that a large seed cannot delay an exit. Each lane
/// of a connection counts its own sequence numbers, from 1.
enum class Lane : std::uint8_t {
    urgent = 0,  ///< Hello, Bye, Nack, Exit, Receipt
    normal = 1,  ///< Ping, Pong, Have, Get
    bulk = 2,    ///< Chunk
};
inline constexpr std::size_t kLanes = 3;
[[nodiscard]] Lane lane_of(Kind kind);

/// First message on a connection, in both directions.
struct Hello {
    std::uint8_t oldest_version = kProtocolVersion;
    std::uint8_t newest_version = kProtocolVersion;
    NetworkId network;
    NodeId sender;
    bool answer = false;  ///< true when this Hello answers one; an answer is not answered
};

/// A disconnect, not an exit: the sender will be back.
struct Bye {};

struct Ping {
    std::uint64_t token = 0;
};
struct Pong {
    std::uint64_t token = 0;
};

/// "I have a seed": the sender's own signed SeedRecord.
struct Have {
    SignedBytes record;
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

using Message = std::variant<Hello, Bye, Ping, Pong, Have, Get, Chunk, Nack, Exit, ReceiptMessage>;

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
