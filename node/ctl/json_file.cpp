#include "node/ctl/json_file.hpp"

#include <fstream>
#include <iterator>
#include <system_error>

#include "node/storage/files.hpp"

namespace unlearn::ctl {
namespace {

protocol::ByteView view_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Outcome<nlohmann::json> read_json_file(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return fail_with(ExitCode::bad_input, path.string() + ": " + error.message());
    if (size > kMaxJsonFileBytes)
        return fail_with(ExitCode::bad_input, path.string() + ": is too large to be a file of unlearnd");
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    if (!in) return fail_with(ExitCode::bad_input, path.string() + ": cannot be read");
    auto value = nlohmann::json::parse(text, nullptr, false);
    if (value.is_discarded()) return fail_with(ExitCode::bad_input, path.string() + ": is not JSON");
    return value;
}

Outcome<void> create_file(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    const auto made = storage::create_file(path, view_of(content), mode);
    if (!made) return fail_with(ExitCode::failed, made.error().detail);
    return {};
}

Outcome<void> replace_json_file(const std::filesystem::path& path, const nlohmann::json& value) {
    const auto replaced = storage::replace_file(path, view_of(value.dump(2) + "\n"), 0644);
    if (!replaced) return fail_with(ExitCode::failed, replaced.error().detail);
    return {};
}

}  // namespace unlearn::ctl
