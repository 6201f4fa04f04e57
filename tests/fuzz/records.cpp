#include "protocol/records.hpp"

#include "protocol/digest.hpp"
#include "protocol/network_statements.hpp"
#include "tests/fuzz/fuzz.hpp"

// The first byte chooses the kind of record; the rest is signed, so that the decoder behind the signature is
// reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unlearn::protocol;
    static const Identity signer = Identity::from_seed(digest_of(Bytes{1}).value);
    static const NetworkId network = network_id_of({"fuzz", {1, 2, 2}, {"a", "b"}, "none", {}});
    if (size == 0) return 0;
    const Bytes bytes(data + 1, data + size);
    const auto signed_for = [&](SigningPurpose purpose) {
        return SignedBytes{bytes, signer.sign(purpose, network, bytes)};
    };
    const auto check = [](const auto& result) {
        if (!result) unlearn::fuzz::require_one_line(result.error().text());
    };
    switch (data[0] % 11) {
        case 0:
            check(verify_record(signer.id(), network, signed_for(SigningPurpose::seed_record)));
            break;
        case 1:
            check(verify_notice(network, signed_for(SigningPurpose::exit_notice)));
            break;
        case 2:
            check(verify_receipt(signer.id(), network, signed_for(SigningPurpose::receipt)));
            break;
        case 3:
            check(verify_lease(signer.id(), network, signed_for(SigningPurpose::lease)));
            break;
        case 4:
            check(verify_receipt(signer.id(), network, signed_for(SigningPurpose::receipt_2)));
            break;
        case 5:
            check(verify_holder_list(network, signed_for(SigningPurpose::holder_list)));
            break;
        case 6:
            check(verify_state(signer.id(), network, signed_for(SigningPurpose::state)));
            break;
        case 7:
            check(verify_term_membership(network, signed_for(SigningPurpose::term_membership)));
            break;
        case 8:
            check(verify_revocation(network, signed_for(SigningPurpose::revocation)));
            break;
        case 9:
            check(verify_succession(network, signed_for(SigningPurpose::succession)));
            break;
        default:
            check(verify_membership(signer.id(), network, signed_for(SigningPurpose::membership)));
    }
    return 0;
}
