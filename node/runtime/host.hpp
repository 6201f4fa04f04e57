#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "node/storage/async_store.hpp"
#include "protocol/engine_io.hpp"

namespace unlearn::runtime {

/// Calls a function later, on the node's thread. Destroying the timer cancels the call.
class Timer {
  public:
    virtual ~Timer() = default;
    /// Replaces the call that was set before.
    virtual void set(std::chrono::milliseconds after, std::function<void()> then) = 0;
    virtual void cancel() = 0;
};

/// A node's opened storage and the state that was read from it.
struct OpenedStorage {
    protocol::LoadedState state;
    std::vector<storage::DamagedSeed> damaged;  ///< rows that were erased
    std::unique_ptr<storage::AsyncStore> store;
};

/// What a node runs on: clocks, its thread, random numbers and a disk. They are real (`AsioHost`), or belong
/// to a simulation in which one random seed decides everything.
class Host {
  public:
    virtual ~Host() = default;

    [[nodiscard]] virtual protocol::Now now() const = 0;
    [[nodiscard]] virtual std::uint64_t random_number() = 0;
    /// Runs `task` on the node's thread, soon. Callable from any thread.
    virtual void post(std::function<void()> task) = 0;
    [[nodiscard]] virtual std::unique_ptr<Timer> make_timer() = 0;
    /// Opens the store in the folder and reads all of it. `log_entries` is the limit of its event log.
    /// @return one line when it is in use, damaged or another node's.
    [[nodiscard]] virtual protocol::Result<OpenedStorage> open_storage(const std::filesystem::path& directory,
                                                                       const storage::Binding& binding,
                                                                       std::uint64_t log_entries) = 0;
};

/// An opened store and the state that was read from it.
struct OpenedStore {
    protocol::LoadedState state;
    std::vector<storage::DamagedSeed> damaged;
    std::unique_ptr<storage::Store> store;
};
/// Opens a store, reads all of it, and erases what `load` found damaged. Hosts use it in `open_storage`.
[[nodiscard]] protocol::Result<OpenedStore> open_store(const std::filesystem::path& directory,
                                                       const storage::Binding& binding,
                                                       storage::WallClock clock, storage::Disk& disk,
                                                       std::uint64_t log_entries);

}  // namespace unlearn::runtime
