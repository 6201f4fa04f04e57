#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>

#include "node/ctl/outcome.hpp"

namespace unlearn::ctl {

/// Delays the signals that end a process until what was begun is complete or undone.
class HeldSignals {
  public:
    HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;
    ~HeldSignals();

  private:
    sigset_t before_{};
};

/// Returns the path of `unlearnd` beside this program, or else of the one on PATH; nothing when there is
/// none.
[[nodiscard]] std::optional<std::filesystem::path> find_unlearnd();

inline constexpr std::chrono::seconds kLongestCheck{120};

/// Runs `unlearnd --check` with this configuration, as the user that this process acts as. unlearnctl does
/// not link LibTorch, so only unlearnd can tell whether it can use a TorchScript module. `on_slow` is called
/// once when the check takes some seconds.
/// @return the line with which unlearnd refuses. It is also an error when unlearnd crashes, is not done after
/// `at_most`, or a signal of HeldSignals comes.
[[nodiscard]] Outcome<void> run_check(const std::filesystem::path& unlearnd,
                                      const std::filesystem::path& config,
                                      std::chrono::seconds at_most = kLongestCheck,
                                      const std::function<void()>& on_slow = nullptr);

}  // namespace unlearn::ctl
