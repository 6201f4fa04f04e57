#include "sim/faults/in_parallel.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace unlearn::sim::faults {

namespace {

/// A process that runs every `jobs`-th seed and writes one line for each.
struct Worker {
    pid_t process = -1;
    int results = -1;
    std::uint64_t next = 0;  ///< the seed that it is running
    std::string unread;
};

void write_line(int file, std::string line) {
    line += '\n';
    for (std::size_t done = 0; done < line.size();) {
        const auto wrote = ::write(file, line.data() + done, line.size() - done);
        if (wrote < 0 && errno != EINTR) ::_exit(1);
        done += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    }
}

Worker begin(std::uint64_t from, std::uint64_t end, unsigned step,
             const std::function<nlohmann::json(std::uint64_t)>& run_one) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    const pid_t process = ::fork();
    if (process < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (process == 0) {
        ::close(ends[0]);
        for (std::uint64_t seed = from; seed < end; seed += step)
            write_line(ends[1], run_one(seed).dump());
        ::_exit(0);
    }
    ::close(ends[1]);
    return {process, ends[0], from, {}};
}

/// Holds back results until their turn, so that the output is the same for any number of processes.
class InOrder {
  public:
    InOrder(std::uint64_t first, const std::function<void(const nlohmann::json&)>& show)
        : next_(first), show_(show) {}

    /// `result` is empty if there is none for this seed.
    void add(std::uint64_t seed, std::optional<nlohmann::json> result) {
        early_.emplace(seed, std::move(result));
        for (auto at = early_.begin(); at != early_.end() && at->first == next_;
             at = early_.erase(at), ++next_)
            if (at->second) show_(*at->second);
    }

  private:
    std::uint64_t next_;
    const std::function<void(const nlohmann::json&)>& show_;
    std::map<std::uint64_t, std::optional<nlohmann::json>> early_;
};

}  // namespace

std::vector<std::uint64_t> in_parallel(std::uint64_t first, std::uint64_t count, unsigned jobs,
                                       const std::function<nlohmann::json(std::uint64_t)>& run_one,
                                       const std::function<void(const nlohmann::json&)>& show) {
    if (jobs == 0) jobs = std::max(1U, std::thread::hardware_concurrency());
    jobs = static_cast<unsigned>(std::min<std::uint64_t>(jobs, std::max<std::uint64_t>(count, 1)));
    const std::uint64_t end = first + count;
    std::vector<Worker> workers;
    for (unsigned i = 0; i < jobs; ++i)
        if (first + i < end) workers.push_back(begin(first + i, end, jobs, run_one));

    InOrder in_order(first, show);
    std::vector<std::uint64_t> died;
    while (!workers.empty()) {
        std::vector<pollfd> waiting;
        for (const auto& worker : workers)
            waiting.push_back({worker.results, POLLIN, 0});
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "poll");
        for (std::size_t i = workers.size(); i-- > 0;) {
            if (waiting[i].revents == 0) continue;
            Worker& worker = workers[i];
            char piece[4096];
            const auto got = ::read(worker.results, piece, sizeof piece);
            if (got < 0 && errno == EINTR) continue;
            if (got > 0) {
                worker.unread.append(piece, static_cast<std::size_t>(got));
                for (auto line_end = worker.unread.find('\n'); line_end != std::string::npos;
                     line_end = worker.unread.find('\n')) {
                    in_order.add(worker.next, nlohmann::json::parse(worker.unread.substr(0, line_end)));
                    worker.unread.erase(0, line_end + 1);
                    worker.next += jobs;
                }
                continue;
            }
            ::close(worker.results);
            int status = 0;
            ::waitpid(worker.process, &status, 0);
            const std::uint64_t at = worker.next;
            workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
            if (status == 0) continue;
            // The seeds after the one that killed the process still have to be run.
            died.push_back(at);
            in_order.add(at, std::nullopt);
            if (at + jobs < end) workers.push_back(begin(at + jobs, end, jobs, run_one));
        }
    }
    std::sort(died.begin(), died.end());
    return died;
}

}  // namespace unlearn::sim::faults
