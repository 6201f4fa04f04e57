#include "node/ctl/daemon_check.hpp"

#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "support.hpp"

namespace {

using namespace unlearn::ctl;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// Runs the check with a shell script for unlearnd.
Outcome<void> check(const std::string& script, seconds at_most = seconds{120}) {
    const TemporaryFolder folder;
    const auto program = folder.write("unlearnd", "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return run_check(program, "/etc/node.toml", at_most);
}

TEST_CASE("a check that ends with 0 finds nothing, whatever it says") {
    CHECK(check("exit 0"));
    CHECK(check("echo 'warning: few rows' >&2"));
}

TEST_CASE("a check that refuses is told by its last line, without the level") {
    const auto refused = check("echo 'info: reading' >&2\necho 'error: own.pt: no module' >&2\nexit 2");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ExitCode::bad_input);
    CHECK(refused.error().message == "own.pt: no module");
    const auto silent = check("echo 'not in the log'\nexit 3");
    REQUIRE_FALSE(silent);
    CHECK(silent.error().message.ends_with("/unlearnd --check ended with 3"));
}

TEST_CASE("the check is asked about the configuration") {
    const auto told = check("echo \"$@\" >&2\nexit 2");
    REQUIRE_FALSE(told);
    CHECK(told.error().message == "--config /etc/node.toml --check");
}

TEST_CASE("a check that crashes is told by its signal") {
    const auto crashed = check("ulimit -c 0\nkill -SEGV $$");
    REQUIRE_FALSE(crashed);
    CHECK(crashed.error().code == ExitCode::bad_input);
    CHECK_MESSAGE(crashed.error().message.find("crashed with signal 11:") != std::string::npos,
                  crashed.error().message);
}

TEST_CASE("a check that never ends is ended, and nobody waits for it") {
    const auto begin = steady_clock::now();
    const auto endless = check("exec sleep 60", seconds{1});
    REQUIRE_FALSE(endless);
    CHECK(endless.error().code == ExitCode::bad_input);
    CHECK_MESSAGE(endless.error().message.find("was not done after 1 s:") != std::string::npos,
                  endless.error().message);
    // Far from both ends: a process that is not killed is waited for.
    CHECK(steady_clock::now() - begin < seconds{30});
}

}  // namespace
