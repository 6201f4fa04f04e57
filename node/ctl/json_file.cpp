#include "node/ctl/json_file.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <unistd.h>

#include "node/storage/files.hpp"

namespace unlearn::ctl {
namespace {

tl::unexpected<Failure> file_failure(const std::filesystem::path& path, const char* what) {
    const int number = errno;
    return fail_with(ExitCode::failed,
                     path.string() + ": cannot be " + what + ": " + std::generic_category().message(number));
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
    const auto made = storage::create_file(
        path, {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()}, mode);
    if (!made) return fail_with(ExitCode::failed, made.error().detail);
    return {};
}

Outcome<void> replace_json_file(const std::filesystem::path& path, const nlohmann::json& value) {
    auto temporary = path;
    temporary += ".new";
    ::unlink(temporary.c_str());
    if (auto written = create_file(temporary, value.dump(2) + "\n", 0644); !written) return written;
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        auto failed = file_failure(path, "written");
        ::unlink(temporary.c_str());
        return failed;
    }
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (const auto synced = storage::sync_directory(folder); !synced)
        return fail_with(ExitCode::failed, synced.error().detail);
    return {};
}

}  // namespace unlearn::ctl
