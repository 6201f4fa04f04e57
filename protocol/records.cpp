#include "protocol/records.hpp"

#include <algorithm>

#include "protocol/limits.hpp"
#include "protocol/msgpack_reader.hpp"
#include "protocol/msgpack_writer.hpp"
#include "protocol/statement_codec.hpp"

namespace unlearn::protocol {
namespace {

SeedVersion read_version(MsgpackReader& reader) {
    return SeedVersion{reader.unsigned_integer(kMaxSeedVersion)};
}

std::size_t chunks_needed(std::size_t bytes, std::size_t chunk) {
    return (bytes + chunk - 1) / chunk;
}

/// The smallest of the three sizes with which the payload has at most kMaxChunks chunks.
std::uint32_t smallest_chunk(std::size_t payload_bytes) {
    std::uint32_t chunk = kMinChunk;
    while (chunks_needed(payload_bytes, chunk) > kMaxChunks)
        chunk *= 2;
    return chunk;
}

Bytes encode(const SeedRecord& record) {
    return MsgpackWriter(7)
        .binary(record.owner.view())
        .unsigned_integer(static_cast<std::uint64_t>(record.version))
        .text(record.architecture)
        .unsigned_integer(record.payload_bytes)
        .unsigned_integer(record.chunk_bytes)
        .binary(joined(record.chunk_digests))
        .unsigned_integer(seconds(record.made_at))
        .take();
}

Result<SeedRecord> decode_record(ByteView bytes) {
    MsgpackReader reader(bytes, 7, "seed record");
    SeedRecord record;
    record.owner = reader.node_id();
    record.version = read_version(reader);
    record.architecture = reader.text(kMaxArchitectureText);
    record.payload_bytes = static_cast<std::uint32_t>(reader.unsigned_integer(kMaxSeedBytes));
    record.chunk_bytes = static_cast<std::uint32_t>(reader.unsigned_integer(kMaxPayload));
    record.chunk_digests = reader.fixed_list<Digest>(kMaxChunks);
    record.made_at = read_time(reader);
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    if (record.version == SeedVersion{0}) return fail(ErrorCode::malformed, "seed record: version 0");
    if (record.payload_bytes == 0) return fail(ErrorCode::malformed, "seed record: empty payload");
    const auto chunk = record.chunk_bytes;
    if (chunk != smallest_chunk(record.payload_bytes))
        return fail(ErrorCode::malformed, "seed record: chunk size " + std::to_string(chunk) + ", expected " +
                                              std::to_string(smallest_chunk(record.payload_bytes)));
    if (record.chunk_digests.size() != chunks_needed(record.payload_bytes, chunk))
        return fail(ErrorCode::malformed, "seed record: chunk digests do not fit the payload's length");
    return record;
}

Bytes encode(const Lease& lease) {
    return MsgpackWriter(4)
        .binary(lease.owner.view())
        .unsigned_integer(static_cast<std::uint64_t>(lease.version))
        .unsigned_integer(lease.number)
        .unsigned_integer(seconds(lease.not_after))
        .take();
}

Result<Lease> decode_lease(ByteView bytes) {
    MsgpackReader reader(bytes, 4, "lease");
    Lease lease;
    lease.owner = reader.node_id();
    lease.version = read_version(reader);
    lease.number = reader.unsigned_integer(INT64_MAX);
    lease.not_after = read_time(reader);
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    if (lease.number == 0) return fail(ErrorCode::malformed, "lease: number 0");
    return lease;
}

Bytes encode(const Membership& membership) {
    return MsgpackWriter(1).binary(membership.member.view()).take();
}

Result<Membership> decode_membership(ByteView bytes) {
    MsgpackReader reader(bytes, 1, "membership");
    Membership membership;
    membership.member = reader.node_id();
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    return membership;
}

Bytes encode(const ExitNotice& notice) {
    return MsgpackWriter(4)
        .binary(notice.owner.view())
        .unsigned_integer(seconds(notice.made_at))
        .optional_signed(notice.membership)
        .take();
}

Result<ExitNotice> decode_notice(ByteView bytes) {
    MsgpackReader reader(bytes, 4, "exit notice");
    ExitNotice notice;
    notice.owner = reader.node_id();
    notice.made_at = read_time(reader);
    notice.membership = reader.optional_signed(kMaxMembership);
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    return notice;
}

Bytes encode(const Receipt& receipt) {
    MsgpackWriter writer(receipt.asked ? 6 : 5);
    writer.binary(receipt.owner.view())
        .binary(receipt.holder.view())
        .unsigned_integer(static_cast<std::uint64_t>(receipt.reason))
        .unsigned_integer(static_cast<std::uint64_t>(receipt.erased));
    if (receipt.asked) writer.unsigned_integer(static_cast<std::uint64_t>(*receipt.asked));
    return writer.unsigned_integer(seconds(receipt.made_at)).take();
}

SigningPurpose purpose_of(bool names_what_was_asked_for) {
    return names_what_was_asked_for ? SigningPurpose::receipt_2 : SigningPurpose::receipt;
}

Result<Receipt> decode_receipt(ByteView bytes, bool names_what_was_asked_for) {
    MsgpackReader reader(bytes, names_what_was_asked_for ? 6 : 5, "receipt");
    Receipt receipt;
    receipt.owner = reader.node_id();
    receipt.holder = reader.node_id();
    const auto reason = reader.unsigned_integer(2);
    receipt.erased = read_version(reader);
    if (names_what_was_asked_for) receipt.asked = read_version(reader);
    receipt.made_at = read_time(reader);
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    if (reason == 0) return fail(ErrorCode::malformed, "receipt: reason 0");
    if (receipt.owner == receipt.holder)
        return fail(ErrorCode::malformed, "receipt: the owner is its own holder");
    if (receipt.asked && *receipt.asked < receipt.erased)
        return fail(ErrorCode::malformed, "receipt: more was erased than was asked for");
    receipt.reason = static_cast<ReceiptReason>(reason);
    return receipt;
}

Bytes encode(const HolderList& list) {
    return MsgpackWriter(5)
        .binary(list.owner.view())
        .binary(list.notice.view())
        .unsigned_integer(list.count)
        .binary(list.holders.view())
        .boolean(list.restored)
        .take();
}

Result<HolderList> decode_holder_list(ByteView bytes) {
    MsgpackReader reader(bytes, 5, "list of holders");
    HolderList list;
    list.owner = reader.node_id();
    list.notice = reader.fixed<Digest>();
    list.count = static_cast<std::uint32_t>(reader.unsigned_integer(UINT32_MAX));
    list.holders = reader.fixed<Digest>();
    list.restored = reader.boolean();
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    return list;
}

Bytes encode(const StateStatement& state) {
    return MsgpackWriter(4)
        .binary(state.node.view())
        .unsigned_integer(state.number)
        .binary(state.start.view())
        .binary(state.previous.view())
        .take();
}

Result<StateStatement> decode_state(ByteView bytes) {
    MsgpackReader reader(bytes, 4, "state");
    StateStatement state;
    state.node = reader.node_id();
    state.number = reader.unsigned_integer(INT64_MAX);
    state.start = reader.fixed<StartId>();
    state.previous = reader.fixed<StartId>();
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    if (state.number == 0) return fail(ErrorCode::malformed, "state: number 0");
    if (state.start == StartId{} || state.start == state.previous)
        return fail(ErrorCode::malformed, "state: the start is none, or the one before");
    return state;
}

}  // namespace

std::uint32_t SeedRecord::chunk_size(std::uint32_t index) const {
    return std::min(chunk_bytes, payload_bytes - index * chunk_bytes);
}

Result<SeedRecord> describe_seed(const NodeId& owner, SeedVersion version, std::string architecture,
                                 ByteView payload, WallTime made_at) {
    if (payload.empty() || payload.size() > kMaxSeedBytes)
        return fail(ErrorCode::too_large, "a seed has 1 to " + std::to_string(kMaxSeedBytes) +
                                              " bytes, this one " + std::to_string(payload.size()));
    if (architecture.empty() || architecture.size() > kMaxArchitectureText)
        return fail(ErrorCode::too_large, "architecture text: " + architecture);
    SeedRecord record{owner,
                      version,
                      std::move(architecture),
                      static_cast<std::uint32_t>(payload.size()),
                      smallest_chunk(payload.size()),
                      {},
                      made_at};
    for (std::size_t at = 0; at < payload.size(); at += record.chunk_bytes)
        record.chunk_digests.push_back(
            digest_of(payload.subspan(at, std::min<std::size_t>(record.chunk_bytes, payload.size() - at))));
    return record;
}

SignedBytes sign_record(const Identity& owner, const NetworkId& network, const SeedRecord& record) {
    return sign(owner, SigningPurpose::seed_record, network, encode(record));
}

SignedBytes sign_lease(const Identity& owner, const NetworkId& network, const Lease& lease) {
    return sign(owner, SigningPurpose::lease, network, encode(lease));
}

SignedBytes sign_membership(const Identity& network_key, const NetworkId& network,
                            const Membership& membership) {
    return sign(network_key, SigningPurpose::membership, network, encode(membership));
}

SignedBytes sign_notice(const Identity& owner, const NetworkId& network, const ExitNotice& notice) {
    return sign(owner, SigningPurpose::exit_notice, network, encode(notice));
}

SignedBytes sign_receipt(const Identity& holder, const NetworkId& network, const Receipt& receipt) {
    return sign(holder, purpose_of(receipt.asked.has_value()), network, encode(receipt));
}

SignedBytes sign_holder_list(const Identity& owner, const NetworkId& network, const HolderList& list) {
    return sign(owner, SigningPurpose::holder_list, network, encode(list));
}

SignedBytes sign_state(const Identity& node, const NetworkId& network, const StateStatement& state) {
    return sign(node, SigningPurpose::state, network, encode(state));
}

Digest digest_of_holders(const Recipients& holders) {
    Bytes bytes;
    for (const auto& [node, recipient] : holders) {
        bytes.insert(bytes.end(), node.view().begin(), node.view().end());
        append_u64(bytes, static_cast<std::uint64_t>(recipient.version));
        append_u64(bytes, seconds(recipient.lease_until));
    }
    return digest_of(bytes);
}

Result<SeedRecord> verify_record(const NodeId& signer, const NetworkId& network,
                                 const SignedBytes& signed_record) {
    if (!verify(signer, SigningPurpose::seed_record, network, signed_record.bytes, signed_record.signature))
        return fail(ErrorCode::bad_signature, "seed record of node " + signer.short_text());
    auto record = decode_record(signed_record.bytes);
    if (record && record->owner != signer)
        return fail(ErrorCode::malformed, "seed record names another owner than its signer");
    return record;
}

Result<Lease> verify_lease(const NodeId& signer, const NetworkId& network, const SignedBytes& signed_lease) {
    if (!verify(signer, SigningPurpose::lease, network, signed_lease.bytes, signed_lease.signature))
        return fail(ErrorCode::bad_signature, "lease of node " + signer.short_text());
    auto lease = decode_lease(signed_lease.bytes);
    if (lease && lease->owner != signer)
        return fail(ErrorCode::malformed, "lease names another owner than its signer");
    return lease;
}

Result<Membership> verify_membership(const NodeId& network_key, const NetworkId& network,
                                     const SignedBytes& signed_membership) {
    if (!verify(network_key, SigningPurpose::membership, network, signed_membership.bytes,
                signed_membership.signature))
        return fail(ErrorCode::bad_signature, "membership");
    return decode_membership(signed_membership.bytes);
}

Result<Receipt> verify_receipt(const NodeId& signer, const NetworkId& network,
                               const SignedBytes& signed_receipt) {
    const auto signed_for = [&](SigningPurpose purpose) {
        return verify(signer, purpose, network, signed_receipt.bytes, signed_receipt.signature);
    };
    const bool is_newer = signed_for(SigningPurpose::receipt_2);
    if (!is_newer && !signed_for(SigningPurpose::receipt))
        return fail(ErrorCode::bad_signature, "receipt of node " + signer.short_text());
    auto receipt = decode_receipt(signed_receipt.bytes, is_newer);
    if (receipt && receipt->holder != signer)
        return fail(ErrorCode::malformed, "receipt names another holder than its signer");
    return receipt;
}

Result<StateStatement> verify_state(const NodeId& signer, const NetworkId& network,
                                    const SignedBytes& signed_state) {
    if (!verify(signer, SigningPurpose::state, network, signed_state.bytes, signed_state.signature))
        return fail(ErrorCode::bad_signature, "state of node " + signer.short_text());
    auto state = decode_state(signed_state.bytes);
    if (state && state->node != signer)
        return fail(ErrorCode::malformed, "state names another node than its signer");
    return state;
}

Result<HolderList> verify_holder_list(const NetworkId& network, const SignedBytes& signed_list) {
    auto list = decode_holder_list(signed_list.bytes);
    if (!list) return list;
    if (!verify(list->owner, SigningPurpose::holder_list, network, signed_list.bytes, signed_list.signature))
        return fail(ErrorCode::bad_signature, "list of holders of node " + list->owner.short_text());
    return list;
}

Result<NodeId> owner_named_in(const SignedBytes& signed_notice) {
    auto notice = decode_notice(signed_notice.bytes);
    if (!notice) return tl::unexpected(notice.error());
    return notice->owner;
}

Result<ExitNotice> verify_notice(const NetworkId& network, const SignedBytes& signed_notice) {
    auto notice = decode_notice(signed_notice.bytes);
    if (!notice) return notice;
    if (!verify(notice->owner, SigningPurpose::exit_notice, network, signed_notice.bytes,
                signed_notice.signature))
        return fail(ErrorCode::bad_signature, "exit notice of node " + notice->owner.short_text());
    return notice;
}

}  // namespace unlearn::protocol
