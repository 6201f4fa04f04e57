#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

/// The endpoints at which nodes listen and that they dial: `tcp://HOST:PORT`.
namespace unlearn::protocol {

/// What an endpoint is used for. It decides which hosts and ports are allowed.
enum class EndpointUse {
    dial,   ///< HOST is a name, an IPv4 address or an IPv6 address in brackets; PORT is not 0
    listen  ///< HOST may also be `*` (IPv4 and IPv6) or a network interface; PORT 0 or `*` means any
};

/// The parts of `tcp://HOST:PORT`.
struct Endpoint {
    std::string host;  ///< an IPv6 address stands here without its brackets
    std::uint16_t port = 0;
    bool is_ipv6 = false;  ///< `host` was written in brackets

    /// Returns `tcp://HOST:PORT`, with brackets around an IPv6 address.
    [[nodiscard]] std::string text() const;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Parses `tcp://HOST:PORT`. The error quotes the text and says what is wrong: a missing or impossible port,
/// an IPv6 address without brackets, or a host that `use` does not allow. Whether the host exists
/// is not checked.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text, EndpointUse use);

}  // namespace unlearn::protocol
