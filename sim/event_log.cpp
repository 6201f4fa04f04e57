#include "sim/event_log.hpp"

#include <nlohmann/json.hpp>

namespace unlearn::sim {

EventLog::EventLog(const std::filesystem::path& file) : out_(file) {}

void EventLog::name(const protocol::NodeId& id, const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_.emplace(id, name);
}

void EventLog::add(const std::string& node, const protocol::Event& event, Clock::time_point at) {
    const std::lock_guard lock(mutex_);
    std::string subject;
    if (event.subject != protocol::NodeId{}) {
        const auto known = names_.find(event.subject);
        subject = known == names_.end() ? event.subject.text() : known->second;
    }
    nlohmann::json line{{"ms", std::chrono::duration<double, std::milli>(at - started_).count()},
                        {"node", node},
                        {"event", protocol::name_of(event.kind)}};
    if (!subject.empty()) line["subject"] = subject;
    if (event.version != protocol::SeedVersion{0})
        line["version"] = static_cast<std::uint64_t>(event.version);
    if (!event.detail.empty()) line["detail"] = event.detail;
    out_ << line.dump() << '\n' << std::flush;
    entries_.push_back(Entry{at, node, event, std::move(subject)});
    changed_.notify_all();
}

bool EventLog::wait_until(Clock::time_point deadline,
                          const std::function<bool(const std::vector<Entry>&)>& met) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return met(entries_); });
}

std::vector<EventLog::Entry> EventLog::entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
}

}  // namespace unlearn::sim
