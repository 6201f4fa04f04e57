#pragma once

#include <optional>
#include <string_view>

#include <msgpack.hpp>

#include "protocol/bytes.hpp"
#include "protocol/durable.hpp"

namespace unlearn::protocol {

/// Writes one msgpack array. It is the counterpart of `MsgpackReader`.
class MsgpackWriter {
  public:
    explicit MsgpackWriter(std::uint32_t fields) : packer_(buffer_) { packer_.pack_array(fields); }

    MsgpackWriter& unsigned_integer(std::uint64_t value) {
        packer_.pack_uint64(value);
        return *this;
    }
    MsgpackWriter& boolean(bool value) {
        value ? packer_.pack_true() : packer_.pack_false();
        return *this;
    }
    MsgpackWriter& binary(ByteView value) {
        packer_.pack_bin(static_cast<std::uint32_t>(value.size()));
        packer_.pack_bin_body(reinterpret_cast<const char*>(value.data()),
                              static_cast<std::uint32_t>(value.size()));
        return *this;
    }
    MsgpackWriter& text(std::string_view value) {
        packer_.pack(value);
        return *this;
    }
    /// Two fields: the bytes and their signature. Both are empty without a value.
    MsgpackWriter& optional_signed(const std::optional<SignedBytes>& value) {
        if (!value) return binary({}).binary({});
        return binary(value->bytes).binary(value->signature.view());
    }
    [[nodiscard]] Bytes take() const {
        const auto* data = reinterpret_cast<const std::uint8_t*>(buffer_.data());
        return {data, data + buffer_.size()};
    }

  private:
    msgpack::sbuffer buffer_;
    msgpack::packer<msgpack::sbuffer> packer_;
};

}  // namespace unlearn::protocol
