#pragma once

#include <cstdint>
#include <filesystem>

#include "node/storage/disk.hpp"
#include "protocol/result.hpp"

namespace unlearn::storage {

/// A file of allocated but unused blocks. An erasure needs space itself (overwritten pages go through the
/// write-ahead log), so on a full disk these blocks are given back for it.
class Reserve {
  public:
    /// `disk` must outlive the reserve.
    Reserve(Disk& disk, std::filesystem::path file) : disk_(disk), file_(std::move(file)) {}

    /// Room to erase `held_bytes` of seeds at once: 1 MiB, and twice the seeds: once for the log and once for
    /// a database file that the checkpoint has to extend first. In whole MiB, to be resized rarely.
    [[nodiscard]] static std::uint64_t size_for(std::uint64_t held_bytes);

    /// Allocates up to `bytes`, never less than before. @return an error when the disk has no room for that;
    /// what could be kept before is kept.
    [[nodiscard]] protocol::Result<void> grow_to(std::uint64_t bytes);
    /// Fits the file to `bytes`. A little more is kept, so that coming and going seeds do not resize it.
    [[nodiscard]] protocol::Result<void> fit_to(std::uint64_t bytes);
    /// Gives everything back to the disk.
    void release();

    [[nodiscard]] std::uint64_t size() const;

  private:
    Disk& disk_;
    std::filesystem::path file_;
};

}  // namespace unlearn::storage
