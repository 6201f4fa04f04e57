#pragma once

#include <chrono>
#include <map>
#include <string>

namespace unlearn::sim::support {

/// Measures the seconds of each phase of a run.
class Stopwatch {
  public:
    /// Calls `phase`, adds the time it took to `name`, and returns its result.
    template <typename Phase>
    auto time(const std::string& name, Phase phase) {
        const auto started = Clock::now();
        auto result = phase();
        seconds_[name] += std::chrono::duration<double>(Clock::now() - started).count();
        return result;
    }
    /// Returns the seconds by phase, and "total".
    [[nodiscard]] std::map<std::string, double> finish() {
        seconds_["total"] = std::chrono::duration<double>(Clock::now() - started_).count();
        return seconds_;
    }

  private:
    using Clock = std::chrono::steady_clock;

    Clock::time_point started_ = Clock::now();
    std::map<std::string, double> seconds_;
};

}  // namespace unlearn::sim::support
