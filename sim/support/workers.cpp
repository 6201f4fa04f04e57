#include "sim/support/workers.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>

namespace unlearn::sim::support {

std::optional<std::string> Workers::for_each(
    std::size_t count, const std::function<std::optional<std::string>(std::size_t)>& job) {
    std::mutex mutex;
    std::condition_variable all_done;
    std::size_t left = count;
    std::optional<std::string> first_error;

    for (std::size_t i = 0; i < count; ++i) {
        boost::asio::post(pool_, [&, i] {
            std::optional<std::string> error;
            const bool skip = [&] {
                const std::lock_guard lock(mutex);
                return first_error.has_value();
            }();
            try {
                if (!skip) error = job(i);
            } catch (const std::exception& exception) {
                error = exception.what();
            }
            const std::lock_guard lock(mutex);
            if (error && !first_error) first_error = std::move(error);
            if (--left == 0) all_done.notify_one();
        });
    }
    std::unique_lock lock(mutex);
    all_done.wait(lock, [&] { return left == 0; });
    return first_error;
}

}  // namespace unlearn::sim::support
