#include "node/runtime/certificate.hpp"

#include "tests/fuzz/fuzz.hpp"

// What `unlearnctl verify` and the control API are given: a certificate or a sealed exit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto json = nlohmann::json::parse(data, data + size, nullptr, false);
    if (const auto verdict = unlearn::runtime::verify_certificate(json); !verdict)
        unlearn::fuzz::require_one_line(verdict.error().text());
    if (const auto notice = unlearn::runtime::read_sealed_exit(json); !notice)
        unlearn::fuzz::require_one_line(notice.error().text());
    return 0;
}
