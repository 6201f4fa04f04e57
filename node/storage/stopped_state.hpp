#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "node/storage/files.hpp"
#include "node/storage/sqlite.hpp"

namespace unlearn::storage {

/// The state of a node that is not running, opened only for reading. No node can start on it meanwhile.
struct StoppedState {
    FileDescriptor lock;  ///< first, because it must outlast the connection
    std::filesystem::path file;
    std::unique_ptr<sqlite::Connection> connection;
    std::int64_t version =
        0;  ///< of the schema: a node that has left is never started, and so never upgraded
};

/// Opens the state in `directory`. @return an error when there is none, when it is in use or not unlearnd's,
/// or when its schema is older than `oldest` or newer than this program knows
[[nodiscard]] protocol::Result<StoppedState> open_stopped(const std::filesystem::path& directory,
                                                          std::int64_t oldest);

}  // namespace unlearn::storage
