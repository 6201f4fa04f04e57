#include "node/learning/data/gzip_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace unlearn::learning {

Result<GzipFile> GzipFile::open(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        return fail(path.string() + ": is a folder, not a file");
    }
    errno = 0;
    Handle handle(gzopen(path.c_str(), "rb"));
    if (!handle) {
        return fail(path.string() +
                    ": cannot be opened: " + (errno != 0 ? std::strerror(errno) : "no memory"));
    }
    gzbuffer(handle.get(), 256 * 1024);
    return GzipFile(std::move(handle), path.string());
}

Result<std::size_t> GzipFile::read(std::span<std::uint8_t> target) {
    std::size_t filled = 0;
    while (filled < target.size()) {
        const auto wanted = static_cast<unsigned>(std::min<std::size_t>(target.size() - filled, 1U << 20));
        const int got = gzread(handle_.get(), target.data() + filled, wanted);
        int code = Z_OK;
        const char* text = gzerror(handle_.get(), &code);
        if (code == Z_BUF_ERROR) return fail(name_ + ": the gzip data is cut off");
        if (got < 0 || code != Z_OK) return fail(name_ + ": cannot be read: " + text);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    return filled;
}

}  // namespace unlearn::learning
