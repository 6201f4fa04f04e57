#pragma once

#include <cstdint>
#include <filesystem>

#include "node/storage/disk.hpp"
#include "protocol/result.hpp"

namespace unlearn::storage {

/// A file of allocated but unused blocks. An erasure needs disk space itself (overwritten pages go through
/// the write-ahead log), so on a full disk these blocks are freed for it.
class Reserve {
  public:
    /// `disk` must outlive the reserve.
    Reserve(Disk& disk, std::filesystem::path file) : disk_(disk), file_(std::move(file)) {}

    /// Returns the size that is needed to erase `held_bytes` of seeds at once: 1 MiB, and twice the seeds,
    /// once for the log and once for a database file that the checkpoint has to extend first. It is in whole
    /// MiB, so that the file is rarely resized.
    [[nodiscard]] static std::uint64_t size_for(std::uint64_t held_bytes);

    /// Grows the file to `bytes`; never shrinks it. @return an error when the disk has no room for that; the
    /// file is then as before.
    [[nodiscard]] protocol::Result<void> grow_to(std::uint64_t bytes);
    /// Fits the file to `bytes`. A small excess is kept, so that seeds that come and go do not resize the
    /// file.
    [[nodiscard]] protocol::Result<void> fit_to(std::uint64_t bytes);
    /// Gives all blocks back to the disk.
    void release();

    [[nodiscard]] std::uint64_t size() const;

  private:
    Disk& disk_;
    std::filesystem::path file_;
};

}  // namespace unlearn::storage
