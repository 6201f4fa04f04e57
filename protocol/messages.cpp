#include "protocol/messages.hpp"

#include <algorithm>
#include <bit>

#include "protocol/exit_ranges.hpp"
#include "protocol/msgpack_reader.hpp"
#include "protocol/msgpack_writer.hpp"

namespace unlearn::protocol {
namespace {

constexpr std::uint8_t kMagic[2] = {'U', 'L'};

Bytes body_of(const Hello& m) {
    return MsgpackWriter(7)
        .unsigned_integer(m.oldest_version)
        .unsigned_integer(m.newest_version)
        .binary(m.network.view())
        .binary(m.sender.view())
        .boolean(m.answer)
        .optional_signed(m.membership)
        .take();
}
Bytes body_of(const Bye&) {
    return MsgpackWriter(0).take();
}
Bytes body_of(const Ping& m) {
    return MsgpackWriter(1).unsigned_integer(m.token).take();
}
Bytes body_of(const Pong& m) {
    return MsgpackWriter(1).unsigned_integer(m.token).take();
}
Bytes body_of_signed(const SignedBytes& s) {
    return MsgpackWriter(2).binary(s.bytes).binary(s.signature.view()).take();
}
Bytes body_of(const Have& m) {
    return MsgpackWriter(4)
        .binary(m.record.bytes)
        .binary(m.record.signature.view())
        .binary(m.lease.bytes)
        .binary(m.lease.signature.view())
        .take();
}
Bytes body_of(const Get& m) {
    return MsgpackWriter(3)
        .unsigned_integer(static_cast<std::uint64_t>(m.version))
        .unsigned_integer(m.first)
        .unsigned_integer(m.count)
        .take();
}
Bytes body_of(const Chunk& m) {
    return MsgpackWriter(2)
        .unsigned_integer(static_cast<std::uint64_t>(m.version))
        .unsigned_integer(m.index)
        .take();
}
Bytes body_of(const Nack& m) {
    return MsgpackWriter(2)
        .unsigned_integer(static_cast<std::uint64_t>(m.reason))
        .unsigned_integer(m.about)
        .take();
}
Bytes body_of(const Exit& m) {
    return body_of_signed(m.notice);
}
Bytes body_of(const ReceiptMessage& m) {
    return body_of_signed(m.receipt);
}

Bytes body_of(const DigestMessage& m) {
    return MsgpackWriter(3)
        .binary(m.salt.view())
        .unsigned_integer(m.exits.occupied)
        .binary(joined(m.exits.hashes))
        .take();
}
Bytes body_of(const Delta& m) {
    return MsgpackWriter(5)
        .binary(m.salt.view())
        .unsigned_integer(static_cast<std::uint64_t>(m.part))
        .boolean(m.last)
        .unsigned_integer(m.buckets)
        .binary(joined(m.ids))
        .take();
}
Bytes body_of(const StateMessage& m) {
    return MsgpackWriter(5)
        .binary(m.own.bytes)
        .binary(m.own.signature.view())
        .boolean(m.restored)
        .optional_signed(m.yours)
        .take();
}
Bytes body_of(const Holders& m) {
    return body_of_signed(m.list);
}
Bytes body_of(const ExitQuery& m) {
    return MsgpackWriter(5)
        .binary(m.salt.view())
        .unsigned_integer(m.number)
        .binary(m.all.view())
        .binary(range_bytes(m.ranges))
        .binary(joined(m.wanted))
        .take();
}
Bytes body_of(const ExitAnswer& m) {
    return MsgpackWriter(4)
        .unsigned_integer(m.number)
        .unsigned_integer(m.count)
        .binary(m.all.view())
        .binary(answer_bytes(m.ranges))
        .take();
}
Bytes body_of(const NetworkStatement& m) {
    return MsgpackWriter(3)
        .unsigned_integer(static_cast<std::uint64_t>(m.kind))
        .binary(m.statement.bytes)
        .binary(m.statement.signature.view())
        .take();
}
Bytes body_of(const NetworkDigest& m) {
    return MsgpackWriter(4)
        .unsigned_integer(static_cast<std::uint64_t>(m.part))
        .boolean(m.last)
        .binary(m.summary.view())
        .binary(joined(m.ids))
        .take();
}

Result<Message> done(const MsgpackReader& reader, Message message) {
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    return message;
}

Result<Message> decode_hello(ByteView body) {
    if (body.size() > kMaxHelloBody) return fail(ErrorCode::too_large, "hello body");
    MsgpackReader reader(body, 7, "hello");
    Hello m;
    m.oldest_version = static_cast<std::uint8_t>(reader.unsigned_integer(255));
    m.newest_version = static_cast<std::uint8_t>(reader.unsigned_integer(255));
    m.network = reader.fixed<NetworkId>();
    m.sender = reader.node_id();
    m.answer = reader.boolean();
    m.membership = reader.optional_signed(kMaxMembership);
    return done(reader, m);
}

Result<SignedBytes> decode_signed(ByteView body, std::string_view what) {
    MsgpackReader reader(body, 2, what);
    SignedBytes out;
    out.bytes = reader.binary(kMaxBody);
    out.signature = reader.fixed<Signature>();
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    return out;
}

Result<Message> decode_have(ByteView body) {
    MsgpackReader reader(body, 4, "have");
    Have m;
    m.record.bytes = reader.binary(kMaxBody);
    m.record.signature = reader.fixed<Signature>();
    m.lease.bytes = reader.binary(kMaxBody);
    m.lease.signature = reader.fixed<Signature>();
    return done(reader, std::move(m));
}

Result<Message> decode_digest(ByteView body) {
    MsgpackReader reader(body, 3, "digest");
    DigestMessage m;
    m.salt = reader.fixed<DigestSalt>();
    m.exits.occupied = reader.unsigned_integer(UINT64_MAX);
    m.exits.hashes = reader.fixed_list<BucketHash>(kExitBuckets);
    if (reader.ok() && m.exits.hashes.size() != static_cast<std::size_t>(std::popcount(m.exits.occupied)))
        return fail(ErrorCode::malformed, "digest: " + std::to_string(m.exits.hashes.size()) + " hashes");
    return done(reader, std::move(m));
}

Result<Message> decode_delta(ByteView body) {
    MsgpackReader reader(body, 5, "delta");
    Delta m;
    m.salt = reader.fixed<DigestSalt>();
    const auto part = reader.unsigned_integer(2);
    m.last = reader.boolean();
    m.buckets = reader.unsigned_integer(UINT64_MAX);
    m.ids = reader.fixed_list<ExitedId>(kMaxDeltaIds);
    if (reader.ok() && part == 0) return fail(ErrorCode::malformed, "delta: part 0");
    m.part = static_cast<DeltaPart>(part);
    return done(reader, std::move(m));
}

Result<Message> decode_state_message(ByteView body) {
    MsgpackReader reader(body, 5, "state");
    StateMessage m;
    m.own.bytes = reader.binary(kMaxStatement);
    m.own.signature = reader.fixed<Signature>();
    m.restored = reader.boolean();
    m.yours = reader.optional_signed(kMaxStatement);
    return done(reader, std::move(m));
}

Result<Message> decode_exit_query(ByteView body) {
    MsgpackReader reader(body, 5, "query");
    ExitQuery m;
    m.salt = reader.fixed<DigestSalt>();
    m.number = reader.unsigned_integer(UINT64_MAX);
    m.all = reader.fixed<RangeFingerprint>();
    const Bytes ranges = reader.binary(kMaxRangesAsked * (1 + ExitedId::kSize));
    m.wanted = reader.fixed_list<ExitedId>(kMaxNoticesAsked);
    auto decoded = ranges_in(ranges);
    if (!decoded) return tl::unexpected(decoded.error());
    m.ranges = std::move(*decoded);
    return done(reader, std::move(m));
}

Result<Message> decode_exit_answer(ByteView body) {
    MsgpackReader reader(body, 4, "answer");
    ExitAnswer m;
    m.number = reader.unsigned_integer(UINT64_MAX);
    m.count = reader.unsigned_integer(UINT64_MAX);
    m.all = reader.fixed<RangeFingerprint>();
    auto ranges = answers_in(reader.binary(kMaxBody));
    if (!ranges) return tl::unexpected(ranges.error());
    m.ranges = std::move(*ranges);
    return done(reader, std::move(m));
}

Result<Message> decode_network_statement(ByteView body) {
    MsgpackReader reader(body, 3, "network statement");
    NetworkStatement m;
    const auto kind = reader.unsigned_integer(2);
    m.statement.bytes = reader.binary(kMaxNetworkStatement);
    m.statement.signature = reader.fixed<Signature>();
    if (reader.ok() && kind == 0) return fail(ErrorCode::malformed, "network statement: kind 0");
    m.kind = static_cast<NetworkStatementKind>(kind);
    return done(reader, std::move(m));
}

Result<Message> decode_network_digest(ByteView body) {
    MsgpackReader reader(body, 4, "network digest");
    NetworkDigest m;
    const auto part = reader.unsigned_integer(2);
    m.last = reader.boolean();
    m.summary = reader.fixed<Digest>();
    m.ids = reader.fixed_list<Digest>(kMaxDeltaIds);
    if (reader.ok() && part == 0) return fail(ErrorCode::malformed, "network digest: part 0");
    m.part = static_cast<NetworkDigestPart>(part);
    if (reader.ok() && m.part == NetworkDigestPart::summary && (!m.last || !m.ids.empty()))
        return fail(ErrorCode::malformed, "network digest: a summary has no ids");
    return done(reader, std::move(m));
}

Result<Message> decode_get(ByteView body) {
    MsgpackReader reader(body, 3, "get");
    Get m;
    m.version = SeedVersion{reader.unsigned_integer(kMaxSeedVersion)};
    m.first = static_cast<std::uint32_t>(reader.unsigned_integer(kMaxChunks - 1));
    m.count = static_cast<std::uint32_t>(reader.unsigned_integer(kMaxChunks));
    if (m.count == 0 || m.first + m.count > kMaxChunks)
        return fail(ErrorCode::malformed, "get: impossible range");
    return done(reader, m);
}

Result<Message> decode_chunk(ByteView body, Bytes payload) {
    MsgpackReader reader(body, 2, "chunk");
    Chunk m;
    m.version = SeedVersion{reader.unsigned_integer(kMaxSeedVersion)};
    m.index = static_cast<std::uint32_t>(reader.unsigned_integer(kMaxChunks - 1));
    m.payload = std::move(payload);
    return done(reader, std::move(m));
}

Result<Message> decode_nack(ByteView body) {
    MsgpackReader reader(body, 2, "nack");
    Nack m;
    const auto reason = reader.unsigned_integer(5);
    m.about = reader.unsigned_integer(UINT64_MAX);
    if (reader.ok() && reason == 0) return fail(ErrorCode::malformed, "nack: reason 0");
    m.reason = static_cast<NackReason>(reason);
    return done(reader, m);
}

template <typename M>
Result<Message> decode_token(ByteView body, std::string_view what) {
    MsgpackReader reader(body, 1, what);
    return done(reader, M{reader.unsigned_integer(UINT64_MAX)});
}

Result<Message> decode_bye(ByteView body) {
    const MsgpackReader reader(body, 0, "bye");
    return done(reader, Bye{});
}

Result<Message> decode_body(Kind kind, ByteView body, Bytes payload) {
    switch (kind) {
        case Kind::hello:
            return decode_hello(body);
        case Kind::bye:
            return decode_bye(body);
        case Kind::ping:
            return decode_token<Ping>(body, "ping");
        case Kind::pong:
            return decode_token<Pong>(body, "pong");
        case Kind::have:
            return decode_have(body);
        case Kind::get:
            return decode_get(body);
        case Kind::chunk:
            return decode_chunk(body, std::move(payload));
        case Kind::nack:
            return decode_nack(body);
        case Kind::exit:
            return decode_signed(body, "exit").map([](SignedBytes s) -> Message {
                return Exit{std::move(s)};
            });
        case Kind::receipt:
            return decode_signed(body, "receipt").map([](SignedBytes s) -> Message {
                return ReceiptMessage{std::move(s)};
            });
        case Kind::digest:
            return decode_digest(body);
        case Kind::delta:
            return decode_delta(body);
        case Kind::state:
            return decode_state_message(body);
        case Kind::holders:
            return decode_signed(body, "holders").map([](SignedBytes s) -> Message {
                return Holders{std::move(s)};
            });
        case Kind::exit_query:
            return decode_exit_query(body);
        case Kind::exit_answer:
            return decode_exit_answer(body);
        case Kind::network_statement:
            return decode_network_statement(body);
        case Kind::network_digest:
            return decode_network_digest(body);
    }
    return fail(ErrorCode::unknown_kind, "kind " + std::to_string(static_cast<int>(kind)));
}

std::uint64_t get_u64(ByteView bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    return value;
}

}  // namespace

namespace {

const MessageKind* row_of(Kind kind) {
    const auto* row = std::find_if(kMessageKinds.begin(), kMessageKinds.end(),
                                   [kind](const MessageKind& known) { return known.kind == kind; });
    return row == kMessageKinds.end() ? nullptr : row;
}

constexpr bool rows_are_in_order() {
    for (std::size_t i = 1; i < kMessageKinds.size(); ++i)
        if (kMessageKinds[i - 1].kind >= kMessageKinds[i].kind) return false;
    return true;
}
static_assert(rows_are_in_order());

}  // namespace

std::string_view name_of(Kind kind) {
    const auto* row = row_of(kind);
    return row == nullptr ? "unknown" : row->name;
}

Lane lane_of(Kind kind) {
    const auto* row = row_of(kind);
    return row == nullptr ? Lane::normal : row->lane;
}

std::uint8_t version_of(Kind kind) {
    const auto* row = row_of(kind);
    return row == nullptr ? 0 : row->version;
}

Kind kind_of(const Message& message) {
    // The variant lists its alternatives in the order of their numbers.
    return kMessageKinds[message.index()].kind;
}

Frames encode(const Envelope& envelope) {
    const Kind kind = kind_of(envelope.message);
    Bytes header{kMagic[0], kMagic[1], version_of(kind), static_cast<std::uint8_t>(kind)};
    append_u64(header, envelope.sequence);
    Frames frames{std::move(header), std::visit([](const auto& m) { return body_of(m); }, envelope.message)};
    if (const auto* chunk = std::get_if<Chunk>(&envelope.message)) frames.push_back(chunk->payload);
    return frames;
}

Result<Envelope> decode(Frames frames) {
    if (frames.size() < 2 || frames.size() > kMaxFrames)
        return fail(ErrorCode::malformed, std::to_string(frames.size()) + " frames");
    const Bytes& header = frames[0];
    if (header.size() != kHeaderSize)
        return fail(ErrorCode::malformed, "header of " + std::to_string(header.size()) + " bytes");
    if (header[0] != kMagic[0] || header[1] != kMagic[1])
        return fail(ErrorCode::malformed, "wrong magic bytes");
    const auto kind = static_cast<Kind>(header[3]);
    const std::uint8_t version = header[2];
    if (version < kOldestVersion || version > kNewestVersion)
        return fail(ErrorCode::wrong_version, "protocol version " + std::to_string(version));
    if (row_of(kind) == nullptr) return fail(ErrorCode::unknown_kind, "kind " + std::to_string(header[3]));
    if (version != version_of(kind))
        return fail(ErrorCode::wrong_version,
                    std::string(name_of(kind)) + " of version " + std::to_string(version));
    if ((frames.size() == 3) != (kind == Kind::chunk))
        return fail(ErrorCode::malformed,
                    std::to_string(frames.size()) + " frames for " + std::string(name_of(kind)));
    if (frames[1].size() > kMaxBody)
        return fail(ErrorCode::too_large, "body of " + std::to_string(frames[1].size()) + " bytes");
    Bytes payload;
    if (frames.size() == 3) {
        if (frames[2].size() > kMaxPayload || frames[2].empty())
            return fail(ErrorCode::too_large, "payload of " + std::to_string(frames[2].size()) + " bytes");
        payload = std::move(frames[2]);
    }
    auto message = decode_body(kind, frames[1], std::move(payload));
    if (!message) return tl::unexpected(message.error());
    return Envelope{get_u64(ByteView(header).subspan(4, 8)), std::move(*message)};
}

}  // namespace unlearn::protocol
