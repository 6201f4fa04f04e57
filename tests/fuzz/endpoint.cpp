#include "protocol/endpoint.hpp"

#include "protocol/identity.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unlearn;
    const auto text = fuzz::text_of(data, size);
    for (const auto use : {protocol::EndpointUse::dial, protocol::EndpointUse::listen}) {
        const auto endpoint = protocol::parse_endpoint(text, use);
        if (!endpoint) {
            fuzz::require_one_line(endpoint.error().detail);
            continue;
        }
        fuzz::require(use == protocol::EndpointUse::listen || endpoint->port != 0);
        const auto again = protocol::parse_endpoint(endpoint->text(), use);
        fuzz::require(again && *again == *endpoint);
    }
    const auto peer = protocol::PeerAddress::from_text(std::string(text));
    if (!peer) fuzz::require_one_line(peer.error().detail);
    return 0;
}
