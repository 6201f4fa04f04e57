#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"

namespace unlearn::protocol {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// A value of exactly N bytes that cannot be mixed up with another of the same length: Tag tells them apart.
template <std::size_t N, typename Tag>
struct FixedBytes {
    static constexpr std::size_t kSize = N;
    std::array<std::uint8_t, N> value{};

    [[nodiscard]] ByteView view() const { return {value.data(), value.size()}; }
    auto operator<=>(const FixedBytes&) const = default;

    /// Copies `bytes` when they have the right length.
    [[nodiscard]] static Result<FixedBytes> from(ByteView bytes) {
        if (bytes.size() != N)
            return fail(ErrorCode::malformed,
                        "expected " + std::to_string(N) + " bytes, got " + std::to_string(bytes.size()));
        FixedBytes out;
        std::copy(bytes.begin(), bytes.end(), out.value.begin());
        return out;
    }
};

/// Bytes of a seed: overwritten with zeros before the memory is freed, so that a dropped seed does not live
/// on in the heap. Not copyable; share it through `SharedSeedBytes`.
class SeedBytes {
  public:
    SeedBytes() = default;
    explicit SeedBytes(Bytes bytes) : bytes_(std::move(bytes)) {}
    SeedBytes(const SeedBytes&) = delete;
    SeedBytes& operator=(const SeedBytes&) = delete;
    SeedBytes(SeedBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {}
    SeedBytes& operator=(SeedBytes&& other) noexcept;
    ~SeedBytes() { wipe(); }

    [[nodiscard]] ByteView view() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

    /// Appends `more`; when that moves the buffer, the old place is wiped.
    void append(ByteView more);
    void wipe();

  private:
    Bytes bytes_;
};

using SharedSeedBytes = std::shared_ptr<const SeedBytes>;

[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

}  // namespace unlearn::protocol
