#include "protocol/network_statements.hpp"

#include "protocol/msgpack_writer.hpp"
#include "protocol/statement_codec.hpp"

namespace unlearn::protocol {
namespace {

std::uint64_t read_number(MsgpackReader& reader) {
    return reader.unsigned_integer(INT64_MAX);
}

Bytes encode(const TermMembership& membership) {
    return MsgpackWriter(5)
        .binary(membership.network_key.view())
        .binary(membership.member.view())
        .unsigned_integer(membership.number)
        .unsigned_integer(seconds(membership.not_before))
        .unsigned_integer(seconds(membership.not_after))
        .take();
}

Bytes encode(const Revocation& revocation) {
    return MsgpackWriter(4)
        .binary(revocation.network_key.view())
        .binary(revocation.member.view())
        .unsigned_integer(revocation.number)
        .unsigned_integer(seconds(revocation.made_at))
        .take();
}

Bytes encode(const Succession& succession) {
    return MsgpackWriter(5)
        .binary(succession.network_key.view())
        .binary(succession.next.view())
        .unsigned_integer(succession.number)
        .unsigned_integer(seconds(succession.made_at))
        .unsigned_integer(seconds(succession.memberships_until))
        .take();
}

/// Checks the signature of the key that the statement names.
template <typename T>
Result<T> verified(Result<T> read, SigningPurpose purpose, std::string_view what, const NetworkId& network,
                   const SignedBytes& statement) {
    if (read && !verify(read->network_key, purpose, network, statement.bytes, statement.signature))
        return fail(ErrorCode::bad_signature, std::string(what));
    return read;
}

}  // namespace

SignedBytes sign_term_membership(const Identity& network_key, const NetworkId& network,
                                 const TermMembership& membership) {
    return sign(network_key, SigningPurpose::term_membership, network, encode(membership));
}

SignedBytes sign_revocation(const Identity& network_key, const NetworkId& network,
                            const Revocation& revocation) {
    return sign(network_key, SigningPurpose::revocation, network, encode(revocation));
}

SignedBytes sign_succession(const Identity& network_key, const NetworkId& network,
                            const Succession& succession) {
    return sign(network_key, SigningPurpose::succession, network, encode(succession));
}

Result<TermMembership> read_term_membership(const SignedBytes& statement) {
    MsgpackReader reader(statement.bytes, 5, "membership with an end");
    TermMembership membership;
    membership.network_key = reader.node_id();
    membership.member = reader.node_id();
    membership.number = read_number(reader);
    membership.not_before = read_time(reader);
    membership.not_after = read_time(reader);
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    if (membership.number == 0) return fail(ErrorCode::malformed, "membership with an end: number 0");
    if (membership.not_after < membership.not_before)
        return fail(ErrorCode::malformed, "membership with an end: it ends before it begins");
    return membership;
}

Result<Revocation> read_revocation(const SignedBytes& statement) {
    MsgpackReader reader(statement.bytes, 4, "revocation");
    Revocation revocation;
    revocation.network_key = reader.node_id();
    revocation.member = reader.node_id();
    revocation.number = read_number(reader);
    revocation.made_at = read_time(reader);
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    if (revocation.number == 0) return fail(ErrorCode::malformed, "revocation: number 0");
    return revocation;
}

Result<Succession> read_succession(const SignedBytes& statement) {
    MsgpackReader reader(statement.bytes, 5, "succession");
    Succession succession;
    succession.network_key = reader.node_id();
    succession.next = reader.node_id();
    succession.number = read_number(reader);
    succession.made_at = read_time(reader);
    succession.memberships_until = read_time(reader);
    if (auto ok = reader.finish(); !ok) return tl::unexpected(ok.error());
    if (succession.number == 0) return fail(ErrorCode::malformed, "succession: number 0");
    if (succession.next == succession.network_key)
        return fail(ErrorCode::malformed, "succession: a key cannot follow itself");
    return succession;
}

Result<TermMembership> verify_term_membership(const NetworkId& network, const SignedBytes& statement) {
    return verified(read_term_membership(statement), SigningPurpose::term_membership, "membership", network,
                    statement);
}

Result<Revocation> verify_revocation(const NetworkId& network, const SignedBytes& statement) {
    return verified(read_revocation(statement), SigningPurpose::revocation, "revocation", network, statement);
}

Result<Succession> verify_succession(const NetworkId& network, const SignedBytes& statement) {
    return verified(read_succession(statement), SigningPurpose::succession, "succession", network, statement);
}

}  // namespace unlearn::protocol
