#pragma once

#include <string>

#include <tl/expected.hpp>

namespace unlearn::ctl {

/// What unlearnctl returns to its caller; scripts rely on the numbers. `kExitCodeHelp` explains them to
/// users.
enum class ExitCode : int {
    ok = 0,
    failed = 1,        ///< the command was understood and did not succeed
    bad_input = 2,     ///< wrong usage, configuration or file
    unreachable = 3,   ///< no daemon answers
    not_verified = 4,  ///< a certificate, a notice or the log does not hold
    incomplete = 5,    ///< true so far, but receipts are still missing
};

inline constexpr const char* kExitCodeHelp =
    "Exit codes: 0 done; 1 the command failed; 2 wrong usage, configuration or input; 3 unlearnd cannot be\n"
    "reached; 4 verification failed (certificate or log); 5 not complete yet (receipts are missing).";

/// Why a command ended early: one line for people and the code for scripts.
struct Failure {
    ExitCode code = ExitCode::failed;
    std::string message;
    bool is_starting =
        false;  ///< unlearnd was not there yet, or said that it is starting: a moment later it may answer
};

template <typename T>
using Outcome = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> fail_with(ExitCode code, std::string message) {
    return tl::unexpected<Failure>(Failure{code, std::move(message), false});
}

}  // namespace unlearn::ctl
