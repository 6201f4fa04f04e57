#include "protocol/endpoint.hpp"

#include <algorithm>
#include <charconv>

namespace unlearn::protocol {
namespace {

constexpr std::string_view kScheme = "tcp://";
constexpr std::string_view kForm = "expected tcp://HOST:PORT";
/// A DNS name has at most 253 characters.
constexpr std::size_t kMaxHost = 253;

/// Quotes at most `most` characters of `text`, on one line.
std::string quoted(std::string_view text, std::size_t most) {
    std::string shown(text.substr(0, most));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; },
        '?');
    return "'" + shown + "'";
}

tl::unexpected<Error> wrong(std::string_view text, const std::string& what) {
    constexpr std::size_t kMostShown = 80;
    return fail(ErrorCode::malformed, quoted(text, kMostShown) + " is not an address: " + what);
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view host) {
    return !host.empty() && host.size() <= kMaxHost && is_alphanumeric(host.front()) &&
           std::all_of(host.begin(), host.end(),
                       [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

/// Checks only the form: groups of hexadecimal digits, then optionally an IPv4 address and a zone.
bool looks_like_ipv6(std::string_view host) {
    const auto zone = host.find('%');
    const auto address = host.substr(0, zone);
    const bool zone_is_good = zone == std::string_view::npos || is_name(host.substr(zone + 1));
    return zone_is_good && std::count(address.begin(), address.end(), ':') >= 2 &&
           address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

/// True for digits and points that are not four numbers up to 255, such as 192.168.1.300 or 10.0.1.
bool is_broken_ipv4(std::string_view host) {
    if (host.find_first_not_of("0123456789.") != std::string_view::npos) return false;
    int groups = 0;
    while (true) {
        const auto group = host.substr(0, host.find('.'));
        unsigned value = 0;
        const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), value);
        if (error != std::errc{} || value > 255) return true;
        ++groups;
        if (group.size() == host.size()) return groups != 4;
        host.remove_prefix(group.size() + 1);
    }
}

/// True for addresses that mean "all addresses of this machine".
bool is_any_address(const Endpoint& endpoint) {
    return endpoint.host == "*" || endpoint.host == "0.0.0.0" || endpoint.host == "::";
}

}  // namespace

std::string Endpoint::text() const {
    return std::string(kScheme) + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text, EndpointUse use) {
    if (!text.starts_with(kScheme)) return wrong(text, std::string(kForm));
    const std::string_view rest = text.substr(kScheme.size());
    Endpoint endpoint;
    std::string_view port;
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return wrong(text, "the bracket is not closed");
        endpoint.host = rest.substr(1, end - 1);
        endpoint.is_ipv6 = true;
        if (!looks_like_ipv6(endpoint.host)) return wrong(text, "the brackets must hold an IPv6 address");
        if (end + 1 >= rest.size() || rest[end + 1] != ':')
            return wrong(text, "the port is missing; " + std::string(kForm));
        port = rest.substr(end + 2);
    } else {
        const auto colon = rest.rfind(':');
        if (colon == std::string_view::npos) return wrong(text, "the port is missing; " + std::string(kForm));
        endpoint.host = rest.substr(0, colon);
        port = rest.substr(colon + 1);
        if (endpoint.host.find(':') != std::string::npos)
            return wrong(text, "write an IPv6 address in brackets, tcp://[ADDRESS]:PORT");
    }

    if (port == "*" && use == EndpointUse::listen) port = "0";
    unsigned number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (port.empty() || error == std::errc::invalid_argument || end != port.data() + port.size())
        return wrong(text, quoted(port, 10) + " is not a port");
    if (error != std::errc{} || number > UINT16_MAX || (number == 0 && use == EndpointUse::dial))
        return wrong(text, std::string("a port is a number from ") +
                               (use == EndpointUse::dial ? "1" : "0 (any)") + " to 65535");
    endpoint.port = static_cast<std::uint16_t>(number);

    if (endpoint.is_ipv6 || endpoint.host == "*") {
        // The form of an IPv6 address was checked above; whether these can be dialled is checked below.
    } else if (!is_name(endpoint.host)) {
        return wrong(text, endpoint.host.empty() ? "the host is missing; " + std::string(kForm)
                                                 : "the host is neither a name nor an address");
    } else if (is_broken_ipv4(endpoint.host)) {
        return wrong(text, "an IPv4 address is four numbers from 0 to 255");
    }
    if (use == EndpointUse::dial && is_any_address(endpoint))
        return wrong(text, endpoint.host + " is only for listening and cannot be dialled");
    return endpoint;
}

}  // namespace unlearn::protocol
