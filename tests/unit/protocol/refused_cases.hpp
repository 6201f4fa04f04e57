#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "protocol/messages.hpp"
#include "protocol/records.hpp"
#include "tests/support/golden.hpp"

/// What the vectors of refused messages and statements are made of. The bodies are written by another msgpack
/// library than the project's.
namespace unlearn::testing::refused {

using namespace unlearn::protocol;
using nlohmann::json;
using Plain = std::vector<std::uint8_t>;

constexpr std::uint64_t kBeyondVersions = std::uint64_t{1} << 63U;
constexpr std::uint64_t kBeyondTimes = (std::uint64_t{1} << 40U) + 1;
constexpr std::uint64_t kTime = 1'700'000'000;

inline const Identity& owner() {
    static const Identity identity = Identity::from_seed({1});
    return identity;
}
inline const Identity& holder() {
    static const Identity identity = Identity::from_seed({2});
    return identity;
}
inline NetworkId network() {
    return NetworkId{digest_of(Bytes{4, 5, 6}).value};
}

inline json bin(const Plain& bytes) {
    return json::binary(bytes);
}
inline json bin(ByteView bytes) {
    return json::binary(Plain(bytes.begin(), bytes.end()));
}
inline json zeros(std::size_t count) {
    return bin(Plain(count));
}
inline Plain packed(const json& value) {
    return json::to_msgpack(value);
}
inline Plain with_sign_bit(const NodeId& id) {
    Plain bytes(id.view().begin(), id.view().end());
    bytes.back() |= 0x80U;
    return bytes;
}

// ---- Messages

inline Plain header(int kind, std::uint64_t sequence = 1) {
    const bool is_newer =
        kind >= static_cast<int>(Kind::state) && kind <= static_cast<int>(Kind::network_digest);
    const std::uint8_t version = is_newer ? 2 : 1;
    Plain bytes{'U', 'L', version, static_cast<std::uint8_t>(kind)};
    for (unsigned i = 0; i < 8; ++i)
        bytes.push_back(static_cast<std::uint8_t>(sequence >> (8 * i)));
    return bytes;
}

using PlainFrames = std::vector<Plain>;
struct Case {
    std::string what;
    PlainFrames frames;
};

inline Case message(std::string what, Kind kind, const json& body) {
    return {std::move(what), {header(static_cast<int>(kind)), packed(body)}};
}

inline json frames_to_json(const std::vector<Case>& cases) {
    json out = json::array();
    for (const auto& one : cases) {
        json frames = json::array();
        for (const auto& frame : one.frames)
            frames.push_back(to_hex(frame));
        out.push_back({{"what", one.what}, {"frames", frames}});
    }
    return out;
}

inline bool decodes(const json& stated) {
    Frames frames;
    for (const auto& frame : stated["frames"]) {
        const auto bytes = from_hex(frame.get<std::string>());
        frames.emplace_back(bytes.begin(), bytes.end());
    }
    return decode(std::move(frames)).has_value();
}

/// What a signature is over: another purpose or network than it should be makes it worthless.
struct Signing {
    const Identity& signer;
    SigningPurpose purpose;
    NetworkId network = protocol_network();

    static NetworkId protocol_network() { return refused::network(); }
};

inline json statement(const std::string& kind, std::string what, const json& fields, const Signing& signing) {
    const auto plain = packed(fields);
    const Bytes bytes(plain.begin(), plain.end());
    const auto signature = signing.signer.sign(signing.purpose, signing.network, bytes);
    return {{"statement", kind},
            {"what", std::move(what)},
            {"bytes", to_hex(plain)},
            {"signature", to_hex(signature.view())}};
}

inline SignedBytes signed_bytes_of(const json& stated) {
    const auto plain = from_hex(stated["bytes"].get<std::string>());
    const auto signature = from_hex(stated["signature"].get<std::string>());
    return {Bytes(plain.begin(), plain.end()),
            Signature::from(Bytes(signature.begin(), signature.end())).value()};
}

inline json id_of(const Identity& identity) {
    return bin(identity.id().view());
}

}  // namespace unlearn::testing::refused
