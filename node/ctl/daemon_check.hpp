#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>

#include "node/ctl/outcome.hpp"

namespace unlearn::ctl {

/// Holds back the signals that end a process until what was begun is complete or undone.
class HeldSignals {
  public:
    HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;
    ~HeldSignals();

  private:
    sigset_t before_{};
};

/// `unlearnd` beside this program, or else on the path; nothing when there is none.
[[nodiscard]] std::optional<std::filesystem::path> find_unlearnd();

inline constexpr std::chrono::seconds kLongestCheck{120};

/// Runs `unlearnd --check` with this configuration, as the user that this process acts as. unlearnctl links
/// no LibTorch, so only unlearnd can tell whether it can use a TorchScript module.
/// @return the line with which it refuses; also when it crashes, is not done after `at_most`, or a signal of
/// HeldSignals comes. `on_slow` is called once when it takes some seconds.
[[nodiscard]] Outcome<void> run_check(const std::filesystem::path& unlearnd,
                                      const std::filesystem::path& config,
                                      std::chrono::seconds at_most = kLongestCheck,
                                      const std::function<void()>& on_slow = nullptr);

}  // namespace unlearn::ctl
