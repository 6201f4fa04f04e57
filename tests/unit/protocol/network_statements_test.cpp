#include "protocol/network_statements.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "protocol/limits.hpp"
#include "protocol/msgpack_writer.hpp"
#include "protocol/records.hpp"

using namespace unlearn::protocol;

namespace {

struct Keys {
    Identity key = Identity::from_seed({1});
    Identity next = Identity::from_seed({2});
    Identity member = Identity::from_seed({3});
    NetworkId network;
    WallTime time{std::chrono::seconds(1'700'000'000)};

    [[nodiscard]] SignedBytes membership() const {
        return sign_term_membership(key, network,
                                    {key.id(), member.id(), 7, time, time + std::chrono::hours(24)});
    }
    [[nodiscard]] SignedBytes revocation() const {
        return sign_revocation(key, network, {key.id(), member.id(), 8, time});
    }
    [[nodiscard]] SignedBytes succession() const {
        return sign_succession(key, network, {key.id(), next.id(), 9, time, time + std::chrono::hours(1)});
    }
};

}  // namespace

TEST_CASE("what a network's key signs is read as it was written") {
    const Keys keys;
    const auto membership = verify_term_membership(keys.network, keys.membership());
    REQUIRE(membership);
    CHECK(membership->network_key == keys.key.id());
    CHECK(membership->member == keys.member.id());
    CHECK(membership->number == 7);
    CHECK(membership->not_before == keys.time);
    CHECK(membership->not_after == keys.time + std::chrono::hours(24));
    CHECK(keys.membership().bytes.size() <= kMaxMembership);

    const auto revocation = verify_revocation(keys.network, keys.revocation());
    REQUIRE(revocation);
    CHECK(revocation->network_key == keys.key.id());
    CHECK(revocation->member == keys.member.id());
    CHECK(revocation->number == 8);
    CHECK(revocation->made_at == keys.time);

    const auto succession = verify_succession(keys.network, keys.succession());
    REQUIRE(succession);
    CHECK(succession->network_key == keys.key.id());
    CHECK(succession->next == keys.next.id());
    CHECK(succession->number == 9);
    CHECK(succession->memberships_until == keys.time + std::chrono::hours(1));
}

TEST_CASE("a statement counts only with its key's signature, for its purpose and network") {
    const Keys keys;
    auto forged = keys.revocation();
    forged.signature.value[5] ^= 1;
    CHECK(verify_revocation(keys.network, forged).error().code == ErrorCode::bad_signature);
    NetworkId other;
    other.value[0] = 1;
    CHECK(verify_revocation(other, keys.revocation()).error().code == ErrorCode::bad_signature);
    // Somebody else signs in the key's name.
    const auto stolen =
        sign_revocation(keys.member, keys.network, {keys.key.id(), keys.next.id(), 1, keys.time});
    CHECK(verify_revocation(keys.network, stolen).error().code == ErrorCode::bad_signature);
    // A membership and a succession have the same fields, and are not mistaken for each other.
    CHECK(verify_succession(keys.network, keys.membership()).error().code == ErrorCode::bad_signature);
    CHECK(verify_term_membership(keys.network, keys.succession()).error().code == ErrorCode::bad_signature);
    CHECK_FALSE(verify_membership(keys.key.id(), keys.network, keys.membership()));
}

TEST_CASE("statements that say nonsense are malformed") {
    const Keys keys;
    const auto code = [](const auto& result) {
        REQUIRE_FALSE(result);
        return result.error().code;
    };
    CHECK(code(verify_term_membership(
              keys.network,
              sign_term_membership(keys.key, keys.network, {keys.key.id(), keys.member.id(), 0, {}, {}}))) ==
          ErrorCode::malformed);
    CHECK(code(verify_term_membership(keys.network,
                                      sign_term_membership(keys.key, keys.network,
                                                           {keys.key.id(), keys.member.id(), 1, keys.time,
                                                            keys.time - std::chrono::seconds(1)}))) ==
          ErrorCode::malformed);
    CHECK(code(verify_revocation(keys.network, sign_revocation(keys.key, keys.network,
                                                               {keys.key.id(), keys.member.id(), 0, {}}))) ==
          ErrorCode::malformed);
    CHECK(code(verify_succession(keys.network, sign_succession(keys.key, keys.network,
                                                               {keys.key.id(), keys.key.id(), 1, {}, {}}))) ==
          ErrorCode::malformed);
    CHECK(
        code(verify_succession(keys.network, sign_succession(keys.key, keys.network,
                                                             {keys.key.id(), keys.next.id(), 0, {}, {}}))) ==
        ErrorCode::malformed);
    auto longer = keys.revocation();
    longer.bytes.push_back(0);
    CHECK(code(read_revocation(longer)) == ErrorCode::malformed);
}

TEST_CASE("arbitrary bytes are no statement of a network's key, and nothing breaks") {
    rc::check("arbitrary bytes", [] {
        const SignedBytes bytes{*rc::gen::arbitrary<Bytes>(), {}};
        RC_ASSERT_FALSE(verify_term_membership({}, bytes));
        RC_ASSERT_FALSE(verify_revocation({}, bytes));
        RC_ASSERT_FALSE(verify_succession({}, bytes));
    });
}
