#pragma once

#include <algorithm>
#include <utility>

#include "protocol/durable.hpp"
#include "protocol/msgpack_reader.hpp"

/// What the codecs of all signed statements share.
namespace unlearn::protocol {

inline constexpr std::uint64_t kMaxWallSeconds = 1ULL << 40;

/// Returns the time as it travels. Times before 1970 become 1970.
[[nodiscard]] inline std::uint64_t seconds(WallTime time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
}

[[nodiscard]] inline WallTime read_time(MsgpackReader& reader) {
    return WallTime{
        std::chrono::seconds(static_cast<std::int64_t>(reader.unsigned_integer(kMaxWallSeconds)))};
}

[[nodiscard]] inline SignedBytes sign(const Identity& signer, SigningPurpose purpose,
                                      const NetworkId& network, Bytes bytes) {
    Signature signature = signer.sign(purpose, network, bytes);
    return {std::move(bytes), signature};
}

}  // namespace unlearn::protocol
