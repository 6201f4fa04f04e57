#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "protocol/engine.hpp"

namespace unlearn::sim::run {

/// Collects the events at the nodes of one run. Keeps them in memory, where one can wait for them, and writes
/// each to events.jsonl as it comes. All functions may be called from any thread.
class EventLog {
  public:
    using Clock = std::chrono::steady_clock;

    struct Entry {
        Clock::time_point at;
        std::string node;
        protocol::Event event;
        std::string subject;  ///< name of the event's subject, or its id if it has no name
    };

    explicit EventLog(const std::filesystem::path& file);

    /// Sets the name that is written instead of this node's id.
    void name(const protocol::NodeId& id, const std::string& name);
    void add(const std::string& node, const protocol::Event& event, Clock::time_point at);

    /// Waits until `met` returns true for all entries so far. @return false when the time is over.
    [[nodiscard]] bool wait_until(Clock::time_point deadline,
                                  const std::function<bool(const std::vector<Entry>&)>& met);

    [[nodiscard]] std::vector<Entry> entries() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool with_entries(const std::function<bool(const std::vector<Entry>&)>& ask) const;
    /// Returns the time from which the log's times count.
    [[nodiscard]] Clock::time_point started() const { return started_; }

    /// Returns for each holder the milliseconds from the start of `leaver`'s exit to the moment when `leaver`
    /// stored that holder's receipt.
    [[nodiscard]] std::map<std::string, double> receipt_milliseconds(const std::string& leaver) const;

    /// Returns for each of these holders what went wrong last at it, or between it and `leaver`. Holders at
    /// which nothing went wrong are left out.
    [[nodiscard]] std::map<std::string, std::string> why_silent(const std::vector<std::string>& holders,
                                                                const std::string& leaver) const;

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    const Clock::time_point started_ = Clock::now();
    std::ofstream out_;
    std::map<protocol::NodeId, std::string> names_;
    std::vector<Entry> entries_;
};

}  // namespace unlearn::sim::run
