#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include <zlib.h>

#include "node/learning/data/result.hpp"

namespace unlearn::learning {

/// A gzipped or plain file, read from front to back. Gzipped data is decompressed.
class GzipFile {
  public:
    [[nodiscard]] static Result<GzipFile> open(const std::filesystem::path& path);

    /// Fills `target` and returns the number of bytes; fewer than its size mean the end of the file. Fails on
    /// a damaged or truncated gzip stream.
    [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> target);
    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    struct Close {
        void operator()(gzFile file) const { gzclose_r(file); }
    };
    using Handle = std::unique_ptr<gzFile_s, Close>;

    GzipFile(Handle handle, std::string name) : handle_(std::move(handle)), name_(std::move(name)) {}

    Handle handle_;
    std::string name_;
};

}  // namespace unlearn::learning
