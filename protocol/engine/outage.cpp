#include "protocol/engine/outage.hpp"

#include <algorithm>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

std::optional<std::string> Outage::fail(const std::string& reason, SteadyTime now) {
    if (failures_++ == 0) {
        since_ = now;
        interval_ = kTellOfDiskFirst;
        tell_at_ = now + interval_;
        return reason;
    }
    if (now < tell_at_) return std::nullopt;
    interval_ = std::min(interval_ * 2, kTellOfDiskMost);
    tell_at_ = now + interval_;
    return reason + " (" + summary(now) + ")";
}

std::optional<std::string> Outage::end(SteadyTime now) {
    if (failures_ == 0) return std::nullopt;
    auto told = "after " + summary(now);
    failures_ = 0;
    return told;
}

std::string Outage::summary(SteadyTime now) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - since_).count();
    return std::to_string(failures_) + (failures_ == 1 ? " failed write in " : " failed writes in ") +
           std::to_string(seconds) + " s";
}

}  // namespace unlearn::protocol
