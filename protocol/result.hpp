#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace unlearn::protocol {

/// Why input was refused. `describe` gives one line of text for each code.
enum class ErrorCode {
    malformed,        ///< the bytes do not decode to what they claim to be
    too_large,        ///< a length exceeds a named limit
    bad_signature,    ///< the signature does not fit the bytes, the signer or the network
    bad_identity,     ///< not a usable NodeId, or it does not fit the transport key
    wrong_network,    ///< the id is that of another network
    wrong_version,    ///< the two nodes have no protocol version in common
    unknown_kind,     ///< this version does not know the message kind
    out_of_order,     ///< the sequence number is not above the last one
    unsolicited,      ///< the chunk or receipt was not asked for
    digest_mismatch,  ///< the content does not fit its announced hash
    not_authorised,   ///< the peer is not on the allowlist
    refused_seed,     ///< the seed itself was judged unusable
    too_much,         ///< one peer sent more messages, bytes or requests than it may
    retired,          ///< this identity has left its network for good
    not_storable,     ///< storage can never keep this value, however often it is asked
    internal,         ///< a failure on this node, not the peer's fault
};

/// Returns one line of text for a code, without a full stop.
[[nodiscard]] std::string_view describe(ErrorCode code);

/// A refusal. The code is for programs; the detail is for people, on one line, and never holds a secret.
struct Error {
    ErrorCode code = ErrorCode::malformed;
    std::string detail;

    /// Returns the code's text and the detail on one line: "bad signature: seed record of node ...". For
    /// `internal` and `not_storable` it returns the detail alone.
    [[nodiscard]] std::string text() const;
};

/// A value, or the error that prevented it.
template <typename T>
using Result = tl::expected<T, Error>;

/// Makes the error of a `Result`.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string detail = {}) {
    return tl::unexpected<Error>(Error{code, std::move(detail)});
}

}  // namespace unlearn::protocol
