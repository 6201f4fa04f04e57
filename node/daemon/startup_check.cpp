#include "node/daemon/startup_check.hpp"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "node/daemon/http_server.hpp"
#include "node/daemon/learner.hpp"
#include "node/network/listening.hpp"
#include "node/storage/files.hpp"
#include "node/storage/store.hpp"

namespace unlearn::daemon {
namespace {

using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

tl::unexpected<protocol::Error> as_input(protocol::Error error) {
    if (error.code != ErrorCode::retired) error.code = ErrorCode::malformed;
    return tl::unexpected(std::move(error));
}

/// Makes a file in the folder and removes it again, because permissions do not tell whether the file system
/// is read-only or full.
Result<void> check_writable(const std::filesystem::path& folder) {
    const auto trial = folder / (".check-" + std::to_string(::getpid()));
    const std::uint8_t byte = 0;
    constexpr unsigned kPrivate = 0600;
    auto made = storage::create_file(trial, {&byte, 1}, kPrivate);
    ::unlink(trial.c_str());
    if (!made)
        return fail(ErrorCode::malformed, folder.string() + ": cannot be written: " + made.error().detail);
    return {};
}

/// Returns the folder, or the nearest one above it that exists, in which it will be made.
std::filesystem::path existing(std::filesystem::path folder) {
    std::error_code error;
    while (!std::filesystem::exists(folder, error) && folder.has_relative_path())
        folder = folder.parent_path();
    return folder.empty() ? "." : folder;
}

Result<void> check_control_socket(const config::NodeConfig& config) {
    const auto& socket = config.control_socket;
    if (auto usable = check_socket_path(socket); !usable) return as_input(usable.error());
    const auto folder = existing(socket.parent_path());
    // A folder that systemd makes at the start (RuntimeDirectory) does not exist before.
    if (folder == "/run" && socket.parent_path() != folder) return {};
    return check_writable(folder);
}

bool holds_something(const std::filesystem::path& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    return !error && size > 0;
}

/// Opens the state as the start will, if there is one.
Result<void> check_state(const config::NodeConfig& config, const protocol::Identity& identity,
                         const config::Binding& binding) {
    const auto folder = config.data_dir / "state";
    std::error_code error;
    if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error))
        return fail(ErrorCode::malformed, folder.string() + ": is not a folder");
    if (!std::filesystem::exists(folder / "state.db", error)) return {};
    if (auto writable = check_writable(folder); !writable) return writable;
    auto store = storage::Store::open(folder, {identity.id(), binding.network});
    if (!store) return as_input(store.error());
    const auto loaded = (*store)->load();
    if (!loaded) return as_input(loaded.error());
    if (loaded->state.retired)
        return fail(ErrorCode::retired,
                    "node " + identity.id().short_text() + " (" + loaded->state.retired->reason + ")");
    return {};
}

Result<void> check_peers(const config::NodeConfig& config, const protocol::Identity& identity) {
    for (const auto& peer : config.peers)
        if (peer.id == identity.id())
            return fail(ErrorCode::malformed,
                        config.file.string() + ": peers: " + peer.id.short_text() + " is this node itself");
    return {};
}

Result<void> check_learning(const config::NodeConfig& config, const config::Binding& binding) {
    const Learner learner(config, binding.network, 0);
    auto data = learner.load();
    if (!data) return fail(ErrorCode::malformed, data.error().message);
    if (auto usable = learner.check_model(std::move(*data)); !usable)
        return fail(ErrorCode::malformed, usable.error().message);
    return {};
}

/// Returns true when a process has the state open, because that process holds a lock. The node of this folder
/// may then be the one that listens.
bool is_locked(const std::filesystem::path& state) {
    std::error_code error;
    return std::filesystem::is_directory(state, error) && !storage::lock_directory(state);
}

}  // namespace

Result<void> check_state_is_kept(const config::NodeConfig& config) {
    const auto state = config.data_dir / "state" / "state.db";
    if (holds_something(state) || holds_something(state.string() + "-wal")) return {};
    for (const char* sign : {"published-seed", "main-model"})
        if (holds_something(config.data_dir / sign))
            return fail(ErrorCode::malformed,
                        state.string() +
                            ": is empty or missing, and with it who holds this node's seed and who has left; "
                            "restore a backup into a new folder (unlearnctl restore), or set up a new node");
    return {};
}

Result<void> check_startup(const config::NodeConfig& config, const protocol::Identity& identity,
                           const config::Binding& binding) {
    if (auto fine = check_peers(config, identity); !fine) return fine;
    if (auto fine = check_writable(config.data_dir); !fine) return fine;
    if (auto fine = check_state_is_kept(config); !fine) return fine;
    const bool is_listening = is_listened_on(config.control_socket);
    if (!is_listening || !is_locked(config.data_dir / "state")) {
        if (is_listening)
            return fail(ErrorCode::malformed,
                        config.control_socket.string() + ": the unlearnd of another node listens here");
        if (auto fine = check_control_socket(config); !fine) return fine;
        if (auto fine = check_state(config, identity, binding); !fine) return fine;
        if (config.listen)
            if (auto fine = network::check_listening(*config.listen); !fine) return as_input(fine.error());
    }
    return check_learning(config, binding);
}

}  // namespace unlearn::daemon
