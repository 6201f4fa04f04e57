#include "node/config/binding.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

#include "node/storage/files.hpp"

namespace unlearn::config {

using nlohmann::json;
using protocol::Error;
using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

namespace {

template <typename T>
T fixed(const json& text) {
    const auto bytes = protocol::from_hex(text.get<std::string>());
    const auto value = bytes ? T::from(*bytes) : Result<T>(tl::unexpected(bytes.error()));
    if (!value) throw std::runtime_error(value.error().detail);
    return *value;
}

}  // namespace

Result<Binding> load_binding(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in)
        return fail(ErrorCode::malformed, file.string() + ": cannot be read; was `unlearnctl init` run?");
    try {
        const json stored = json::parse(in);
        Binding binding{fixed<protocol::NetworkId>(stored.at("network")), std::nullopt};
        if (const auto found = stored.find("membership"); found != stored.end() && !found->is_null()) {
            auto bytes = protocol::from_hex(found->at("bytes").get<std::string>());
            if (!bytes) throw std::runtime_error(bytes.error().detail);
            binding.membership =
                protocol::SignedBytes{std::move(*bytes), fixed<protocol::Signature>(found->at("signature"))};
        }
        return binding;
    } catch (const std::exception& error) {
        return fail(ErrorCode::malformed, file.string() + ": is damaged: " + error.what());
    }
}

Result<void> create_binding(const std::filesystem::path& file, const Binding& binding) {
    std::error_code error;
    if (std::filesystem::exists(file, error))
        return fail(ErrorCode::internal, file.string() + ": exists already");
    json stored{{"network", protocol::to_hex(binding.network.view())}, {"membership", nullptr}};
    if (binding.membership)
        stored["membership"] = {{"bytes", protocol::to_hex(binding.membership->bytes)},
                                {"signature", protocol::to_hex(binding.membership->signature.view())}};
    constexpr unsigned kPrivate = 0600;
    const std::string text = stored.dump(1) + "\n";
    if (auto made = storage::create_file(
            file, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, kPrivate);
        !made)
        return made;
    auto synced = storage::sync_directory(file.parent_path());
    if (!synced)
        std::filesystem::remove(file, error);  // a caller that receives the error must not find the file
    return synced;
}

}  // namespace unlearn::config
