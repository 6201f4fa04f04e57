#include "protocol/result.hpp"

namespace unlearn::protocol {

std::string_view describe(ErrorCode code) {
    switch (code) {
        case ErrorCode::malformed:
            return "malformed";
        case ErrorCode::too_large:
            return "too large";
        case ErrorCode::bad_signature:
            return "bad signature";
        case ErrorCode::bad_identity:
            return "bad identity";
        case ErrorCode::wrong_network:
            return "wrong network";
        case ErrorCode::wrong_version:
            return "no common protocol version";
        case ErrorCode::unknown_kind:
            return "unknown message kind";
        case ErrorCode::out_of_order:
            return "out of order";
        case ErrorCode::unsolicited:
            return "unsolicited";
        case ErrorCode::digest_mismatch:
            return "digest mismatch";
        case ErrorCode::not_authorised:
            return "not authorised";
        case ErrorCode::refused_seed:
            return "refused seed";
        case ErrorCode::too_much:
            return "too much at once";
        case ErrorCode::retired:
            return "identity has left its network";
        case ErrorCode::not_storable:
            return "can never be stored";
        case ErrorCode::internal:
            return "internal failure";
    }
    return "unknown error";
}

std::string Error::text() const {
    // The detail of a local failure explains itself: "state.db: database or disk is full".
    const bool is_local = code == ErrorCode::internal || code == ErrorCode::not_storable;
    if (is_local && !detail.empty()) return detail;
    std::string out{describe(code)};
    if (!detail.empty()) out.append(": ").append(detail);
    return out;
}

}  // namespace unlearn::protocol
