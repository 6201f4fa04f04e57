#include "topologies/formats/graph_text.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <zlib.h>

namespace unlearn::topologies {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

struct CloseGzip {
    void operator()(gzFile file) const { gzclose(file); }
};
using GzipHandle = std::unique_ptr<gzFile_s, CloseGzip>;

tl::unexpected<Error> fail(const std::filesystem::path& file, const std::string& why) {
    return tl::unexpected(Error{file.string() + ": " + why});
}

}  // namespace

Result<std::string> read_graph_text(const std::filesystem::path& file) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) return fail(file, "is a directory, not a graph");
    const GzipHandle handle(gzopen(file.c_str(), "rb"));  // also reads files that are not gzipped
    if (!handle) return fail(file, "cannot be opened");
    std::string text;
    std::vector<char> part(std::size_t{1} << 18);
    for (;;) {
        const int count = gzread(handle.get(), part.data(), static_cast<unsigned>(part.size()));
        int code = Z_OK;
        const char* words = gzerror(handle.get(), &code);
        if (code == Z_BUF_ERROR) return fail(file, "is cut off: the gzip data ends too early");
        if (count < 0 || code != Z_OK) return fail(file, std::string("cannot be read: ") + words);
        text.append(part.data(), static_cast<std::size_t>(count));
        if (text.size() > kMaxBytes) return fail(file, "is larger than 1 GiB");
        if (static_cast<std::size_t>(count) < part.size()) break;
    }
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (text.starts_with(kMark)) text.erase(0, kMark.size());
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
        return fail(file, "is UTF-16 text; save it as UTF-8");
    if (text.starts_with("PK\x03\x04")) return fail(file, "is a zip archive, not a graph; unpack it first");
    return text;
}

bool write_graph_text(const std::filesystem::path& file, const std::string& text) {
    const char* mode = file.extension() == ".gz" ? "wb" : "wbT";  // T: not compressed
    GzipHandle handle(gzopen(file.c_str(), mode));
    if (!handle) return false;
    std::size_t written = 0;
    while (written < text.size()) {
        const auto part = static_cast<unsigned>(std::min<std::size_t>(text.size() - written, 1U << 20U));
        if (gzwrite(handle.get(), text.data() + written, part) != static_cast<int>(part)) return false;
        written += part;
    }
    return gzclose(handle.release()) == Z_OK;
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

}  // namespace unlearn::topologies
