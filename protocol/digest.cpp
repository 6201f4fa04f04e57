#include "protocol/digest.hpp"

#include <msgpack.hpp>
#include <sodium.h>

namespace unlearn::protocol {
namespace {

/// The optional items of a network's description. A number is never reused for another item.
enum class NetworkItem : std::uint8_t { columns = 1, feature_map = 2 };

void pack_digest(msgpack::packer<msgpack::sbuffer>& packer, const Digest& digest) {
    packer.pack_bin(Digest::kSize);
    packer.pack_bin_body(reinterpret_cast<const char*>(digest.value.data()), Digest::kSize);
}

/// Packs the items that the description has, in the order of their numbers: [[number, value], ...].
void pack_items(msgpack::packer<msgpack::sbuffer>& packer, const NetworkDescription& description) {
    const bool has_columns = !description.columns.empty();
    const bool has_features = !description.feature_recipe.empty();
    packer.pack_array((has_columns ? 1 : 0) + (has_features ? 1 : 0));
    if (has_columns) {
        packer.pack_array(2);
        packer.pack(static_cast<std::uint8_t>(NetworkItem::columns));
        packer.pack(description.columns);
    }
    if (has_features) {
        packer.pack_array(2);
        packer.pack(static_cast<std::uint8_t>(NetworkItem::feature_map));
        packer.pack_array(2);
        packer.pack(description.feature_recipe);
        pack_digest(packer, description.feature_map);
    }
}

}  // namespace

Digest digest_of(ByteView bytes) {
    Digest out;
    crypto_generichash(out.value.data(), out.value.size(), bytes.data(), bytes.size(), nullptr, 0);
    sodium_stackzero(1024);  // hashing leaves its last input on the stack, and that may be a seed
    return out;
}

NetworkId network_id_of(const NetworkDescription& description) {
    // msgpack stores the length of every field, so two different descriptions never have the same encoding.
    msgpack::sbuffer buffer;
    msgpack::packer packer(buffer);
    const bool has_items = !description.columns.empty() || !description.feature_recipe.empty();
    packer.pack_array(has_items ? 7 : 6);
    packer.pack(std::string_view("unlearnd network 1"));
    packer.pack(description.name);
    packer.pack(description.input_shape);
    packer.pack(description.classes);
    packer.pack(description.preprocessing);
    pack_digest(packer, description.reference_set);
    if (has_items) pack_items(packer, description);
    const Digest digest = digest_of({reinterpret_cast<const std::uint8_t*>(buffer.data()), buffer.size()});
    return NetworkId{digest.value};
}

}  // namespace unlearn::protocol
