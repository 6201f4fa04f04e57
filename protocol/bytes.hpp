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

/// Overwrites memory with zeros, in a way that the compiler does not leave out.
void wipe_memory(void* data, std::size_t bytes) noexcept;

/// Overwrites what it gives back.
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

/// Any of them may hold a piece of a seed on its way, so none leaves a trace in the heap.
using Bytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;
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

/// Bytes of a seed. Not copyable, so that nobody keeps one by accident; share it through `SharedSeedBytes`.
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

using SharedSeedBytes = std::shared_ptr<const SeedBytes>;

[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

}  // namespace unlearn::protocol
