#include "sim/support/output_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace unlearn::sim::support {
namespace {

constexpr std::string_view kMarker = ".unlearn-sim";

}  // namespace

Result<void> open_output_folder(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::exists(folder, error)) {
        if (!fs::is_directory(folder, error))
            return failed_with(folder, "already exists and is not a folder");
        const bool empty = fs::is_empty(folder, error);
        if (!empty && !fs::exists(folder / kMarker, error))
            return failed_with(folder,
                               "holds files that unlearn-sim did not write; name another folder with --out");
    }
    fs::create_directories(folder, error);
    if (error) return failed_with(folder, "cannot be made: " + error.message());
    return write_file(folder / kMarker,
                      "This folder is written by unlearn-sim, which empties it before its next run.\n");
}

Result<void> prepare_output_folder(const std::filesystem::path& folder) {
    if (auto ok = open_output_folder(folder); !ok) return ok;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().filename() == kMarker) continue;
        if (std::filesystem::remove_all(entry.path(), error); error)
            return failed_with(entry.path(), "cannot be removed: " + error.message());
    }
    return {};
}

Result<void> write_file(const std::filesystem::path& file, std::string_view content) {
    const std::filesystem::path unfinished = file.string() + ".unfinished";
    {
        std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
        if (!out.flush()) return failed_with(file, std::string("cannot be written: ") + std::strerror(errno));
    }
    std::error_code error;
    std::filesystem::rename(unfinished, file, error);
    if (error) return failed_with(file, "cannot be written: " + error.message());
    return {};
}

}  // namespace unlearn::sim::support
