#pragma once

#include <cstdint>
#include <optional>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

/// The statements that a network's key signs. Each names the key that signs it, because a network can have
/// several keys, one after the other. Whether that key counts is for the network to say (engine/network_key).
/// As with the statements in records.hpp, the bytes are kept and passed on as they came.
namespace unlearn::protocol {

/// The statement "`member` belongs to the network from `not_before` to `not_after`". Of two memberships of
/// one member, the one with the higher number counts.
struct TermMembership {
    NodeId network_key;
    NodeId member;
    std::uint64_t number = 0;  ///< starts at 1
    WallTime not_before{};
    WallTime not_after{};
};

/// The statement "`member` is expelled". It is final for that NodeId.
struct Revocation {
    NodeId network_key;
    NodeId member;
    std::uint64_t number = 0;  ///< starts at 1; for the operator's own records
    WallTime made_at{};
};

/// The statement "`next` is the network's key from now on". The network's id stays what it was.
struct Succession {
    NodeId network_key;  ///< the key that is replaced
    NodeId next;
    std::uint64_t number = 0;  ///< starts at 1; for the operator's own records
    WallTime made_at{};
    WallTime memberships_until{};  ///< the end of the memberships that the replaced key signed
};

/// What a membership says, whether it has an end or not.
struct MembershipTerms {
    NodeId network_key;  ///< the key that signed it
    NodeId member;
    std::uint64_t number = 0;  ///< 0 for a membership without an end
    WallTime not_before{};
    std::optional<WallTime> not_after;
};

/// Each encodes the statement and signs it for its purpose in `network`. The key that signs must be the one
/// that the statement names.
[[nodiscard]] SignedBytes sign_term_membership(const Identity& network_key, const NetworkId& network,
                                               const TermMembership& membership);
[[nodiscard]] SignedBytes sign_revocation(const Identity& network_key, const NetworkId& network,
                                          const Revocation& revocation);
[[nodiscard]] SignedBytes sign_succession(const Identity& network_key, const NetworkId& network,
                                          const Succession& succession);

/// Each checks that the key that the statement names has signed it. The error is malformed or bad_signature.
[[nodiscard]] Result<TermMembership> verify_term_membership(const NetworkId& network,
                                                            const SignedBytes& statement);
[[nodiscard]] Result<Revocation> verify_revocation(const NetworkId& network, const SignedBytes& statement);
[[nodiscard]] Result<Succession> verify_succession(const NetworkId& network, const SignedBytes& statement);

/// Each reads a statement without a check of its signature. It serves to look at the key before the work of
/// a check, and to read statements that were checked before.
[[nodiscard]] Result<TermMembership> read_term_membership(const SignedBytes& statement);
[[nodiscard]] Result<Revocation> read_revocation(const SignedBytes& statement);
[[nodiscard]] Result<Succession> read_succession(const SignedBytes& statement);

}  // namespace unlearn::protocol
