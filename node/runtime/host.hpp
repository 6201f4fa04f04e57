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

/// Calls a function later, on the node's thread. Destroying it cancels.
class Timer {
  public:
    virtual ~Timer() = default;
    /// Replaces what was set before.
    virtual void set(std::chrono::milliseconds after, std::function<void()> then) = 0;
    virtual void cancel() = 0;
};

struct OpenedStorage {
    protocol::LoadedState state;
    std::vector<storage::DamagedSeed> damaged;  ///< rows that were erased
    std::unique_ptr<storage::AsyncStore> store;
};

/// What a node lives on: clocks, its thread, random numbers and a disk. Real ones (`AsioHost`), or those of a
/// simulation in which one seed decides everything.
class Host {
  public:
    virtual ~Host() = default;

    [[nodiscard]] virtual protocol::Now now() const = 0;
    [[nodiscard]] virtual std::uint64_t random_number() = 0;
    /// Runs `task` on the node's thread, soon. Callable from any thread.
    virtual void post(std::function<void()> task) = 0;
    [[nodiscard]] virtual std::unique_ptr<Timer> make_timer() = 0;
    /// Opens the folder's store and reads all of it. @return one line when it is in use, damaged or another
    /// node's.
    [[nodiscard]] virtual protocol::Result<OpenedStorage> open_storage(const std::filesystem::path& directory,
                                                                       const storage::Binding& binding) = 0;
};

/// The part of `open_storage` that is the same everywhere: what `load` found damaged is erased.
struct OpenedStore {
    protocol::LoadedState state;
    std::vector<storage::DamagedSeed> damaged;
    std::unique_ptr<storage::Store> store;
};
[[nodiscard]] protocol::Result<OpenedStore> open_store(const std::filesystem::path& directory,
                                                       const storage::Binding& binding,
                                                       storage::WallClock clock, storage::Disk& disk);

}  // namespace unlearn::runtime
