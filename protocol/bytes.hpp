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

/// Overwrites memory with zeros. The compiler cannot optimise the writes away.
void wipe_memory(void* data, std::size_t bytes) noexcept;

/// An allocator that overwrites memory before it frees it.
template <typename T>
struct WipingAllocator {
    using value_type = T;
    WipingAllocator() = default;
    template <typename U>
    WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor): required

    [[nodiscard]] T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* data, std::size_t count) noexcept {
        wipe_memory(data, count * sizeof(T));
        std::allocator<T>().deallocate(data, count);
    }
    bool operator==(const WipingAllocator&) const = default;
};

/// A byte string. It may hold part of a seed, so its memory is overwritten before it is freed.
using Bytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;
/// A read-only view of bytes. It does not own them.
using ByteView = std::span<const std::uint8_t>;

/// Appends `value` in little-endian order, which safetensors uses as well.
inline void append_u64(Bytes& out, std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// A value of exactly N bytes. `Tag` keeps values of the same length but different meaning apart.
template <std::size_t N, typename Tag>
struct FixedBytes {
    static constexpr std::size_t kSize = N;
    std::array<std::uint8_t, N> value{};

    [[nodiscard]] ByteView view() const { return {value.data(), value.size()}; }
    auto operator<=>(const FixedBytes&) const = default;

    /// Copies `bytes`. Returns malformed when there are not exactly N of them.
    [[nodiscard]] static Result<FixedBytes> from(ByteView bytes) {
        if (bytes.size() != N)
            return fail(ErrorCode::malformed,
                        "expected " + std::to_string(N) + " bytes, got " + std::to_string(bytes.size()));
        FixedBytes out;
        std::copy(bytes.begin(), bytes.end(), out.value.begin());
        return out;
    }
};

/// Appends all `values`, which are FixedBytes, one after the other.
template <typename Values>
void append_all(Bytes& out, const Values& values) {
    for (const auto& value : values)
        out.insert(out.end(), value.value.begin(), value.value.end());
}
/// Returns all `values`, one after the other.
template <typename Values>
[[nodiscard]] Bytes joined(const Values& values) {
    Bytes out;
    append_all(out, values);
    return out;
}

/// The bytes of a seed. The type is not copyable, so that no copy stays behind by accident; share the bytes
/// through `SharedSeedBytes`.
class SeedBytes {
  public:
    SeedBytes() = default;
    explicit SeedBytes(Bytes bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] static SeedBytes copy_of(ByteView bytes) {
        return SeedBytes(Bytes(bytes.begin(), bytes.end()));
    }
    SeedBytes(const SeedBytes&) = delete;
    SeedBytes& operator=(const SeedBytes&) = delete;
    SeedBytes(SeedBytes&&) noexcept = default;
    SeedBytes& operator=(SeedBytes&&) noexcept = default;
    ~SeedBytes() = default;

    [[nodiscard]] ByteView view() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

    void append(ByteView more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }

  private:
    Bytes bytes_;
};

/// Shared, read-only access to the bytes of a seed.
using SharedSeedBytes = std::shared_ptr<const SeedBytes>;

/// Returns two lower-case hexadecimal digits for each byte.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// Parses hexadecimal digits of either case. Returns malformed for any other text or an odd length.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

}  // namespace unlearn::protocol
