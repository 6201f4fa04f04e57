#include "node/runtime/asio_host.hpp"

#include <ctime>
#include <random>
#include <utility>

#include "node/storage/storage_thread.hpp"

namespace unlearn::runtime {
namespace {

using namespace unlearn::protocol;

class AsioTimer final : public Timer {
  public:
    explicit AsioTimer(boost::asio::io_context& context) : timer_(context) {}

    void set(std::chrono::milliseconds after, std::function<void()> then) override {
        timer_.expires_after(after);
        timer_.async_wait([then = std::move(then)](const boost::system::error_code& error) {
            if (!error) then();
        });
    }
    void cancel() override { timer_.cancel(); }

  private:
    boost::asio::steady_timer timer_;
};

class AsioHost final : public Host {
  public:
    explicit AsioHost(boost::asio::io_context& context) : context_(context) {}

    [[nodiscard]] Now now() const override {
        using namespace std::chrono;
        // This clock also counts while the device sleeps, so that a lease runs out then.
        timespec boot{};
        ::clock_gettime(CLOCK_BOOTTIME, &boot);
        return {duration_cast<SteadyTime>(seconds(boot.tv_sec) + nanoseconds(boot.tv_nsec)),
                time_point_cast<seconds>(system_clock::now())};
    }
    [[nodiscard]] std::uint64_t random_number() override {
        std::random_device device;
        return (std::uint64_t{device()} << 32) | device();
    }
    void post(std::function<void()> task) override { boost::asio::post(context_, std::move(task)); }
    [[nodiscard]] std::unique_ptr<Timer> make_timer() override {
        return std::make_unique<AsioTimer>(context_);
    }
    [[nodiscard]] Result<OpenedStorage> open_storage(const std::filesystem::path& directory,
                                                     const storage::Binding& binding,
                                                     std::uint64_t log_entries) override {
        auto opened =
            open_store(directory, binding, storage::wall_time_now, storage::real_disk(), log_entries);
        if (!opened) return tl::unexpected(opened.error());
        return OpenedStorage{std::move(opened->state), std::move(opened->damaged),
                             std::make_unique<storage::StorageThread>(std::move(opened->store))};
    }

  private:
    boost::asio::io_context& context_;
};

}  // namespace

std::shared_ptr<Host> make_asio_host(boost::asio::io_context& context) {
    return std::make_shared<AsioHost>(context);
}

Result<OpenedStore> open_store(const std::filesystem::path& directory, const storage::Binding& binding,
                               storage::WallClock clock, storage::Disk& disk, std::uint64_t log_entries) {
    auto store = storage::Store::open(directory, binding, std::move(clock), disk, log_entries);
    if (!store) return tl::unexpected(store.error());
    auto loaded = (*store)->load();
    if (!loaded) return tl::unexpected(loaded.error());
    for (const auto& damaged : loaded->damaged)
        if (auto erased = (*store)->erase(damaged); !erased) return tl::unexpected(erased.error());
    return OpenedStore{std::move(loaded->state), std::move(loaded->damaged), std::move(*store)};
}

}  // namespace unlearn::runtime
