#include "sim/faults/key_twin.hpp"

#include <algorithm>

#include <sodium.h>

namespace unlearn::sim::faults {

using namespace protocol;

namespace {

using Scalar = std::array<std::uint8_t, crypto_core_ed25519_SCALARBYTES>;

/// Returns SHA-512 of the parts, modulo the order of the group.
Scalar hash_to_scalar(std::initializer_list<ByteView> parts) {
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    for (const auto& part : parts)
        crypto_hash_sha512_update(&state, part.data(), part.size());
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash{};
    crypto_hash_sha512_final(&state, hash.data());
    Scalar scalar{};
    crypto_core_ed25519_scalar_reduce(scalar.data(), hash.data());
    return scalar;
}

}  // namespace

KeyTwin::KeyTwin(const Identity& identity) : original_(identity.id().bytes()), id_(original_) {
    id_[31] ^= 0x80U;
    const auto seed = identity.secret_seed();
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash{};
    crypto_hash_sha512(hash.data(), seed.data(), seed.size());
    std::array<std::uint8_t, crypto_core_ed25519_NONREDUCEDSCALARBYTES> wide{};
    std::copy_n(hash.begin(), scalar_.size(), wide.begin());
    wide[0] &= 0xF8U;  // as in every Ed25519 key
    wide[31] = static_cast<std::uint8_t>((wide[31] & 0x7FU) | 0x40U);
    Scalar scalar{};
    crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
    crypto_core_ed25519_scalar_negate(scalar_.data(), scalar.data());
}

Signature KeyTwin::sign(SigningPurpose purpose, const NetworkId& network, ByteView bytes) const {
    const Bytes message = message_to_sign(purpose, network, bytes);
    const Scalar nonce = hash_to_scalar({scalar_, message});
    std::array<std::uint8_t, crypto_core_ed25519_BYTES> point{};
    static_cast<void>(crypto_scalarmult_ed25519_base_noclamp(point.data(), nonce.data()));
    const Scalar challenge = hash_to_scalar({point, id_, message});
    Scalar product{};
    crypto_core_ed25519_scalar_mul(product.data(), challenge.data(), scalar_.data());
    Scalar sum{};
    crypto_core_ed25519_scalar_add(sum.data(), nonce.data(), product.data());
    Signature signature;
    std::copy(point.begin(), point.end(), signature.value.begin());
    std::copy(sum.begin(), sum.end(), signature.value.begin() + point.size());
    return signature;
}

Bytes KeyTwin::renamed(Bytes bytes) const {
    auto at = bytes.begin();
    while ((at = std::search(at, bytes.end(), original_.begin(), original_.end())) != bytes.end())
        at = std::copy(id_.begin(), id_.end(), at);
    return bytes;
}

}  // namespace unlearn::sim::faults
