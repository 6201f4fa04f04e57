#include "node/ctl/json_file.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/storage/files.hpp"

namespace unlearn::ctl {
namespace {

tl::unexpected<Failure> file_failure(const std::filesystem::path& path, const char* what) {
    const int number = errno;
    return fail_with(ExitCode::failed,
                     path.string() + ": cannot be " + what + ": " + std::generic_category().message(number));
}

Outcome<void> write_all(int descriptor, std::string_view content, const std::filesystem::path& path) {
    while (!content.empty()) {
        const auto count = ::write(descriptor, content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_failure(path, "written");
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(descriptor) != 0) return file_failure(path, "written");
    return {};
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
    const storage::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file.valid()) return file_failure(path, "created");
    if (::fchmod(file.get(), mode) != 0) return file_failure(path, "created");  // whatever the umask says
    return write_all(file.get(), content, path);
}

Outcome<void> replace_json_file(const std::filesystem::path& path, const nlohmann::json& value) {
    auto temporary = path;
    temporary += ".new";
    ::unlink(temporary.c_str());
    if (auto written = create_file(temporary, value.dump(2) + "\n", 0644); !written) return written;
    if (::rename(temporary.c_str(), path.c_str()) != 0) return file_failure(path, "written");
    return {};
}

}  // namespace unlearn::ctl
