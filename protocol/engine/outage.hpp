#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "protocol/engine/fetch.hpp"

namespace unlearn::protocol {

/// Owns what is told of a disk that fails: the first failure at once, then how many there were at intervals
/// that grow up to kTellOfDiskMost, and once that the disk works again.
class Outage {
  public:
    /// Counts a failed write. @return what is to be told now, if anything
    [[nodiscard]] std::optional<std::string> fail(const std::string& reason, SteadyTime now);
    /// Ends the outage. @return what is to be told, or nothing when there was none
    [[nodiscard]] std::optional<std::string> end(SteadyTime now);

  private:
    [[nodiscard]] std::string summary(SteadyTime now) const;

    std::uint64_t failures_ = 0;  ///< 0 while the disk works
    SteadyTime since_{};
    SteadyTime tell_at_{};
    std::chrono::milliseconds interval_{};
};

}  // namespace unlearn::protocol
