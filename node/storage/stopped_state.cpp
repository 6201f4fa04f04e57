#include "node/storage/stopped_state.hpp"

#include <utility>

#include "node/storage/schema.hpp"

namespace unlearn::storage {

using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

Result<StoppedState> open_stopped(const std::filesystem::path& directory, std::int64_t oldest) {
    StoppedState state;
    state.file = directory / "state.db";
    if (!std::filesystem::exists(state.file))
        return fail(ErrorCode::internal, state.file.string() + ": no such file");
    auto lock = lock_directory(directory);
    if (!lock) return tl::unexpected(lock.error());
    state.lock = std::move(*lock);
    auto connection = sqlite::Connection::open(state.file, sqlite::Access::read_only);
    if (!connection) return tl::unexpected(connection.error());
    state.connection = std::move(*connection);
    if (auto set = state.connection->run(schema::kSettings); !set) return tl::unexpected(set.error());
    const auto version = schema::check_version(*state.connection, state.file, oldest);
    if (!version) return tl::unexpected(version.error());
    state.version = *version;
    return state;
}

}  // namespace unlearn::storage
