#pragma once

#include <algorithm>

#include "protocol/engine/fetch.hpp"

namespace unlearn::protocol {

/// How much of something a peer may still send: a burst, refilled at a steady rate (a token bucket).
class Allowance {
  public:
    Allowance(double burst, double per_second) : burst_(burst), per_second_(per_second), left_(burst) {}

    /// Takes `amount`. When less is left, it takes nothing and returns false.
    [[nodiscard]] bool take(double amount, SteadyTime now) {
        if (!has(amount, now)) return false;
        left_ -= amount;
        return true;
    }
    /// True when `take` would succeed now.
    [[nodiscard]] bool has(double amount, SteadyTime now) { return left(now) >= amount; }
    /// Gives `amount` back, up to the burst.
    void give(double amount) { left_ = std::min(burst_, left_ + amount); }
    /// How much could be taken now.
    [[nodiscard]] double left(SteadyTime now) {
        const std::chrono::duration<double> passed = now - refilled_;
        left_ = std::min(burst_, left_ + std::max(0.0, passed.count()) * per_second_);
        refilled_ = now;
        return left_;
    }

  private:
    double burst_;
    double per_second_;
    double left_;
    SteadyTime refilled_{};
};

}  // namespace unlearn::protocol
