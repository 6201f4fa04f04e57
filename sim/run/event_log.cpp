#include "sim/run/event_log.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace unlearn::sim::run {

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

std::size_t EventLog::size() const {
    const std::scoped_lock lock(mutex_);
    return entries_.size();
}

bool EventLog::with_entries(const std::function<bool(const std::vector<Entry>&)>& ask) const {
    const std::scoped_lock lock(mutex_);
    return ask(entries_);
}

std::vector<EventLog::Entry> EventLog::entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
}

std::map<std::string, double> EventLog::receipt_milliseconds(const std::string& leaver) const {
    const std::lock_guard lock(mutex_);
    Clock::time_point begun;
    std::map<std::string, double> out;
    for (const auto& entry : entries_) {
        if (entry.node != leaver) continue;
        if (entry.event.kind == protocol::EventKind::exit_begun) begun = entry.at;
        if (entry.event.kind == protocol::EventKind::receipt_stored)
            out.emplace(entry.subject, std::chrono::duration<double, std::milli>(entry.at - begun).count());
    }
    return out;
}

std::map<std::string, std::string> EventLog::why_silent(const std::vector<std::string>& holders,
                                                        const std::string& leaver) const {
    using protocol::EventKind;
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> out;
    for (const auto& entry : entries_) {
        if (std::find(holders.begin(), holders.end(), entry.node) == holders.end()) continue;
        const bool about_link = entry.event.kind == EventKind::peer_down && entry.subject == leaver;
        if (entry.event.kind == EventKind::peer_up && entry.subject == leaver) out.erase(entry.node);
        if (!about_link && entry.event.kind != EventKind::store_failed) continue;
        out[entry.node] = std::string(protocol::name_of(entry.event.kind)) +
                          (entry.event.detail.empty() ? "" : ": " + entry.event.detail);
    }
    return out;
}

}  // namespace unlearn::sim::run
