#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

/// Where nodes listen and dial: `tcp://HOST:PORT`.
namespace unlearn::protocol {

enum class EndpointUse {
    dial,   ///< HOST is a name, an IPv4 address or an IPv6 address in brackets; PORT is not 0
    listen  ///< also `*` (all addresses, IPv4 and IPv6) or the name of a network interface; PORT 0 or *: any
};

struct Endpoint {
    std::string host;  ///< IPv6 addresses without their brackets
    std::uint16_t port = 0;
    bool is_ipv6 = false;  ///< `host` stood in brackets

    /// `tcp://HOST:PORT`, with brackets around an IPv6 address.
    [[nodiscard]] std::string text() const;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Fails with what is wrong with it, in words that follow "tcp://...: ": a missing or impossible port, an
/// IPv6 address without brackets, a host that no use allows. Whether the host exists is not looked at.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text, EndpointUse use);

}  // namespace unlearn::protocol
