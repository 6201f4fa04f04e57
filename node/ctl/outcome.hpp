#pragma once

#include <string>

#include <tl/expected.hpp>

namespace unlearn::ctl {

/// The exit codes of unlearnctl. Scripts rely on the numbers, and `kExitCodeHelp` explains them to users.
enum class ExitCode : int {
    ok = 0,
    failed = 1,        ///< the command was understood but did not succeed
    bad_input = 2,     ///< wrong usage, configuration or file
    unreachable = 3,   ///< no daemon answers
    not_verified = 4,  ///< a certificate, a notice or the log is not valid
    incomplete = 5,    ///< not complete yet, for example because receipts are missing
};

/// The explanation of the exit codes in the help.
inline constexpr const char* kExitCodeHelp =
    "Exit codes: 0 done; 1 the command failed; 2 wrong usage, configuration or input; 3 unlearnd cannot be\n"
    "reached; 4 verification failed (certificate or log); 5 not complete yet (receipts are missing).";

/// Why a command ended early: one line for users and the code for scripts.
struct Failure {
    ExitCode code = ExitCode::failed;
    std::string message;
    bool is_starting =
        false;  ///< unlearnd was not there yet, or said that it is starting: it may answer a moment later
};

/// The result of a command or of a part of it: a value, or why it ended early.
template <typename T>
using Outcome = tl::expected<T, Failure>;

/// Returns a failure with this code and message.
[[nodiscard]] inline tl::unexpected<Failure> fail_with(ExitCode code, std::string message) {
    return tl::unexpected<Failure>(Failure{code, std::move(message), false});
}

}  // namespace unlearn::ctl
