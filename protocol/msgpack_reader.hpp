#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <msgpack.hpp>

#include "protocol/bytes.hpp"
#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

namespace unlearn::protocol {

/// Decodes one msgpack array with exactly the expected number of fields. The input is not trusted: allocation
/// is bounded by its length, nothing may follow the array, and every field is checked for its type and limit.
///
/// Fields are read in order. The reader keeps the first error and then returns empty values, so a decoder can
/// read all fields and call `finish()` once.
class MsgpackReader {
  public:
    /// Expects an array of `fields` entries that fills `input` completely. `what` names the object in errors
    /// and must outlive the reader.
    MsgpackReader(ByteView input, std::uint32_t fields, std::string_view what);

    /// An integer from 0 to `most`.
    [[nodiscard]] std::uint64_t unsigned_integer(std::uint64_t most);
    [[nodiscard]] bool boolean();
    /// A binary field of at most `most` bytes.
    [[nodiscard]] Bytes binary(std::size_t most);
    /// A text of at most `most` printable ASCII characters.
    [[nodiscard]] std::string text(std::size_t most);
    /// A binary field with at most `most_count` values of T::kSize bytes each.
    template <typename T>
    [[nodiscard]] std::vector<T> fixed_list(std::size_t most_count) {
        const Bytes all = binary(most_count * T::kSize);
        if (all.size() % T::kSize != 0) note("list of odd length");
        std::vector<T> out;
        for (std::size_t i = 0; ok() && i < all.size(); i += T::kSize)
            out.push_back(*T::from(ByteView(all).subspan(i, T::kSize)));
        return out;
    }
    /// A binary field of exactly T::kSize bytes.
    template <typename T>
    [[nodiscard]] T fixed() {
        auto value = T::from(binary(T::kSize));
        if (!value) note("field of wrong length");
        return value.value_or(T{});
    }
    /// A node id. Bytes that no node can have as its id are an error.
    [[nodiscard]] NodeId node_id();

    /// Two fields: at most `most` signed bytes, and their signature. Returns nothing when both are empty.
    [[nodiscard]] std::optional<SignedBytes> optional_signed(std::size_t most);

    [[nodiscard]] bool ok() const { return error_.empty(); }
    /// Returns malformed with the first problem, if there was one.
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
