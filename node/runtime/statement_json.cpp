#include "node/runtime/statement_json.hpp"

#include <utility>

namespace unlearn::runtime {

using namespace unlearn::protocol;
using nlohmann::json;

json signed_json(const SignedBytes& statement) {
    return {{"bytes", to_hex(statement.bytes)}, {"signature", to_hex(statement.signature.view())}};
}

Result<SignedBytes> signed_in(const json& value) {
    auto bytes = from_hex(value.at("bytes").get<std::string>());
    const auto signature = value_in_hex<Signature>(value.at("signature"));
    if (!bytes) return tl::unexpected(bytes.error());
    if (!signature) return tl::unexpected(signature.error());
    return SignedBytes{std::move(*bytes), *signature};
}

}  // namespace unlearn::runtime
