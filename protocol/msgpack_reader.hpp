#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <msgpack.hpp>

#include "protocol/bytes.hpp"
#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

namespace unlearn::protocol {

/// Decodes one msgpack array of exactly the announced number of fields, without trusting a byte of it:
/// allocation is bounded by the input's length, nothing may follow the array, and every field is read with
/// its type and limit.
///
/// Fields are read in order. The first failure sticks, so that a decoder reads all fields and asks `finish()`
/// once.
class MsgpackReader {
  public:
    /// Expects an array of `fields` entries that fills `input` completely. `what` names the object in errors.
    MsgpackReader(ByteView input, std::uint32_t fields, std::string_view what);

    [[nodiscard]] std::uint64_t unsigned_integer(std::uint64_t most);
    [[nodiscard]] bool boolean();
    [[nodiscard]] Bytes binary(std::size_t most);
    [[nodiscard]] std::string text(std::size_t most);
    /// A binary field that is a multiple of T::kSize long, split into values.
    template <typename T>
    [[nodiscard]] std::vector<T> fixed_list(std::size_t most_count) {
        const Bytes all = binary(most_count * T::kSize);
        if (all.size() % T::kSize != 0) note("list of odd length");
        std::vector<T> out;
        for (std::size_t i = 0; ok() && i < all.size(); i += T::kSize)
            out.push_back(*T::from(ByteView(all).subspan(i, T::kSize)));
        return out;
    }
    template <typename T>
    [[nodiscard]] T fixed() {
        auto value = T::from(binary(T::kSize));
        if (!value) note("field of wrong length");
        return value.value_or(T{});
    }
    /// A node id; refused when it is not one that a node can have.
    [[nodiscard]] NodeId node_id();

    /// Two fields: signed bytes of at most `most` and their signature, or nothing when both are empty.
    [[nodiscard]] std::optional<SignedBytes> optional_signed(std::size_t most);

    [[nodiscard]] bool ok() const { return error_.empty(); }
    /// Malformed with the first problem, or nothing.
    [[nodiscard]] Result<void> finish() const;

  private:
    const msgpack::object* next();
    void note(std::string_view problem);

    msgpack::object_handle handle_;
    std::string_view what_;
    std::uint32_t fields_ = 0;
    std::uint32_t position_ = 0;
    std::string error_;
};

}  // namespace unlearn::protocol
