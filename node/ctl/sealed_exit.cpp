#include "node/ctl/sealed_exit.hpp"

#include "node/runtime/certificate.hpp"
#include "protocol/records.hpp"

namespace unlearn::ctl {

using namespace unlearn::protocol;

Outcome<SealedExit> check_sealed_exit(const nlohmann::json& file) {
    const auto refuse = [](const Error& error) {
        const bool signature = error.code == ErrorCode::bad_signature;
        return fail_with(signature ? ExitCode::not_verified : ExitCode::bad_input, error.text());
    };
    const auto signed_notice = runtime::read_sealed_exit(file);
    if (!signed_notice) return refuse(signed_notice.error());
    const auto network_bytes = from_hex(file.at("network").get<std::string>());
    if (!network_bytes) return refuse(network_bytes.error());
    const auto network = NetworkId::from(*network_bytes);
    if (!network) return refuse(network.error());
    const auto notice = verify_notice(*network, *signed_notice);
    if (!notice) return refuse(notice.error());
    return SealedExit{notice->owner, *network};
}

}  // namespace unlearn::ctl
