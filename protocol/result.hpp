#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace unlearn::protocol {

/// Why input was refused. Every code has one line of text, see `describe`.
enum class ErrorCode {
    malformed,        ///< bytes that do not decode to what they claim to be
    too_large,        ///< a length beyond a named limit
    bad_signature,    ///< signature does not fit the bytes, the signer or the network
    bad_identity,     ///< not a usable NodeId, or it does not fit the transport key
    wrong_network,    ///< another network's id
    wrong_version,    ///< no protocol version in common
    unknown_kind,     ///< message kind this version does not know
    out_of_order,     ///< sequence number not above the last one
    unsolicited,      ///< a chunk or receipt nobody asked for
    digest_mismatch,  ///< content does not fit its announced hash
    not_authorised,   ///< peer is not on the allow list
    refused_seed,     ///< the seed itself was judged unusable
    too_much,         ///< more messages, bytes or requests than one peer may send
    retired,          ///< this identity has left its network for ever
    internal,         ///< a local failure, not the peer's fault
};

/// One line of text for a code, without a full stop.
[[nodiscard]] std::string_view describe(ErrorCode code);

/// A refusal: the code for programs, the detail for people (one line, never secret).
struct Error {
    ErrorCode code = ErrorCode::malformed;
    std::string detail;

    /// "bad signature: seed record of node ..." on one line; of a local failure the detail alone.
    [[nodiscard]] std::string text() const;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string detail = {}) {
    return tl::unexpected<Error>(Error{code, std::move(detail)});
}

}  // namespace unlearn::protocol
