#include "protocol/msgpack_reader.hpp"

namespace unlearn::protocol {
namespace {

/// An announced size above the input's length must be false, because every element takes at least one byte.
msgpack::unpack_limit limit_for(ByteView input) {
    const std::size_t n = input.size();
    return {n, 0, n, n, 0, 2};
}

}  // namespace

MsgpackReader::MsgpackReader(ByteView input, std::uint32_t fields, std::string_view what) : what_(what) {
    try {
        std::size_t offset = 0;
        bool referenced = false;
        handle_ = msgpack::unpack(
            reinterpret_cast<const char*>(input.data()), input.size(), offset, referenced,
            [](msgpack::type::object_type, std::size_t, void*) { return false; }, nullptr, limit_for(input));
        const auto& object = handle_.get();
        if (offset != input.size())
            note("bytes after the end");
        else if (object.type != msgpack::type::ARRAY || object.via.array.size != fields)
            note("not a list of " + std::to_string(fields) + " fields");
        else
            fields_ = fields;
    } catch (const std::exception&) {
        note("not msgpack");
    }
}

const msgpack::object* MsgpackReader::next() {
    if (!ok() || position_ >= fields_) {
        note("too few fields");
        return nullptr;
    }
    return &handle_.get().via.array.ptr[position_++];
}

std::uint64_t MsgpackReader::unsigned_integer(std::uint64_t most) {
    const auto* object = next();
    if (object == nullptr) return 0;
    if (object->type != msgpack::type::POSITIVE_INTEGER || object->via.u64 > most) {
        note("not an integer from 0 to " + std::to_string(most));
        return 0;
    }
    return object->via.u64;
}

bool MsgpackReader::boolean() {
    const auto* object = next();
    if (object == nullptr) return false;
    if (object->type != msgpack::type::BOOLEAN) note("not a boolean");
    return ok() && object->via.boolean;
}

Bytes MsgpackReader::binary(std::size_t most) {
    const auto* object = next();
    if (object == nullptr) return {};
    if (object->type != msgpack::type::BIN || object->via.bin.size > most) {
        note("not binary, or longer than " + std::to_string(most) + " bytes");
        return {};
    }
    const auto* data = reinterpret_cast<const std::uint8_t*>(object->via.bin.ptr);
    return {data, data + object->via.bin.size};
}

std::string MsgpackReader::text(std::size_t most) {
    const auto* object = next();
    if (object == nullptr) return {};
    if (object->type != msgpack::type::STR || object->via.str.size > most) {
        note("not a text of at most " + std::to_string(most) + " bytes");
        return {};
    }
    std::string out(object->via.str.ptr, object->via.str.size);
    for (const char c : out)
        if (c < 0x20 || c > 0x7e) note("text that is not printable ASCII");
    return out;
}

NodeId MsgpackReader::node_id() {
    const Bytes bytes = binary(NodeId::kSize);
    auto id = NodeId::from_bytes(bytes);
    if (!id) note(id.error().detail);
    return id.value_or(NodeId{});
}

std::optional<SignedBytes> MsgpackReader::optional_signed(std::size_t most) {
    SignedBytes out;
    out.bytes = binary(most);
    const Bytes signature = binary(Signature::kSize);
    if (out.bytes.empty() && signature.empty()) return std::nullopt;
    const auto value = Signature::from(signature);
    if (!value || out.bytes.empty()) {
        note("a signed statement of the wrong length");
        return std::nullopt;
    }
    out.signature = *value;
    return out;
}

Result<void> MsgpackReader::finish() const {
    if (ok()) return {};
    return fail(ErrorCode::malformed, error_);
}

void MsgpackReader::note(std::string_view problem) {
    if (error_.empty()) error_ = std::string(what_) + ": " + std::string(problem);
}

}  // namespace unlearn::protocol
