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

/// Everything that happened at the nodes of one run: kept in memory to wait for, and written to events.jsonl
/// as it comes. Any thread may call any function.
class EventLog {
  public:
    using Clock = std::chrono::steady_clock;

    struct Entry {
        Clock::time_point at;
        std::string node;
        protocol::Event event;
        std::string subject;  ///< name of the event's subject, its id when it has none
    };

    explicit EventLog(const std::filesystem::path& file);

    /// Ids of these nodes are written as their names.
    void name(const protocol::NodeId& id, const std::string& name);
    void add(const std::string& node, const protocol::Event& event, Clock::time_point at);

    /// Waits until `met` says so about all entries. @return false when the time is over.
    [[nodiscard]] bool wait_until(Clock::time_point deadline,
                                  const std::function<bool(const std::vector<Entry>&)>& met);

    [[nodiscard]] std::vector<Entry> entries() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool with_entries(const std::function<bool(const std::vector<Entry>&)>& ask) const;
    /// Where the log's times begin.
    [[nodiscard]] Clock::time_point started() const { return started_; }

    /// For each holder whose receipt `leaver` has stored: how long after its command to leave.
    [[nodiscard]] std::map<std::string, double> receipt_milliseconds(const std::string& leaver) const;

    /// For each of these holders that has not confirmed the exit of `leaver`: the last thing that went wrong
    /// at it, or between the two, where anything did.
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
