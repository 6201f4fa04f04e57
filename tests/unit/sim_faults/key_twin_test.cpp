#include "sim/faults/key_twin.hpp"

#include <algorithm>

#include <doctest/doctest.h>
#include <sodium.h>

#include "protocol/records.hpp"

using namespace unlearn;
using namespace unlearn::protocol;

namespace {

const NetworkId kNetwork{};

bool is_signed(ByteView message, const Signature& signature, ByteView key) {
    return crypto_sign_verify_detached(signature.value.data(), message.data(), message.size(), key.data()) ==
           0;
}

}  // namespace

TEST_CASE("a key signs for its twin as validly as for itself, and only the rule for node ids stops that") {
    const Identity identity = Identity::from_seed({5});
    const sim::faults::KeyTwin twin(identity);

    // The twin is another identity with the same key on a connection.
    CHECK(!std::equal(twin.id().begin(), twin.id().end(), identity.id().bytes().begin()));
    CurvePublicKey key;
    REQUIRE(crypto_sign_ed25519_pk_to_curve25519(key.value.data(), twin.id().data()) == 0);
    CHECK(key == identity.id().curve_key());

    auto notice = sign_notice(identity, kNetwork, ExitNotice{identity.id(), WallTime{}, {}});
    const auto as_signed = [&] {
        return message_to_sign(SigningPurpose::exit_notice, kNetwork, notice.bytes);
    };
    CHECK(is_signed(as_signed(), notice.signature, identity.id().view()));
    notice.bytes = twin.renamed(std::move(notice.bytes));
    CHECK(!is_signed(as_signed(), notice.signature, twin.id()));
    notice.signature = twin.sign(SigningPurpose::exit_notice, kNetwork, notice.bytes);
    CHECK(is_signed(as_signed(), notice.signature, twin.id()));

    CHECK(!NodeId::from_bytes(twin.id()));
    const auto verified = verify_notice(kNetwork, notice);
    REQUIRE(!verified);
    CHECK_MESSAGE(verified.error().text().find("sign bit") != std::string::npos, verified.error().text());
}
