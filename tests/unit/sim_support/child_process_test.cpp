#include "sim/support/child_process.hpp"

#include <csignal>
#include <fstream>
#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "sim/support/descriptor.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace unlearn::sim::support;
using namespace std::chrono_literals;

namespace {

ChildProcess shell(const std::string& script, int out = -1) {
    ChildProcess::Setup setup{"sh", {"-c", script}};
    setup.out = out;
    auto process = ChildProcess::start(setup);
    REQUIRE_MESSAGE(process, process.error().message);
    return std::move(*process);
}

/// What the script prints.
std::string output_of(const std::string& script) {
    const unlearn::testing::TemporaryFolder folder;
    const auto file = folder.path() / "out";
    {
        const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        REQUIRE(shell(script, out.get()).wait() == 0);
    }
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("the exit code of a program, and the signal that ended it, are told") {
    CHECK(shell("exit 7").wait() == 7);
    CHECK(shell("kill -TERM $$").wait() == 128 + SIGTERM);
    auto asked = shell("exec sleep 600");
    CHECK_FALSE(asked.exit_code());
    CHECK_FALSE(asked.wait_for(1ms));
    asked.ask_to_stop();
    CHECK(asked.wait() == 128 + SIGTERM);
    CHECK(asked.exit_code() == 128 + SIGTERM);
}

TEST_CASE("a program is shown under the name that it is given") {
    CHECK(shell("test \"$0\" = sh").wait() == 0);
    ChildProcess::Setup setup{"sh", {"-c", "tr '\\0' ' ' </proc/$$/cmdline | grep -q '^other -c'"}};
    setup.shown_as = "other";
    auto process = ChildProcess::start(setup);
    REQUIRE(process);
    CHECK(process->wait() == 0);
}

TEST_CASE("a program that does not exist cannot be started, and the error says why") {
    const auto missing = ChildProcess::start({"/nonexistent/program", {}});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message == "No such file or directory");
}

TEST_CASE("a program reads nothing, and inherits none of our files") {
    CHECK(output_of("cat; echo done") == "done\n");
    const Descriptor ours(::open("/dev/null", O_RDONLY));  // not marked to be closed
    CHECK(output_of("test -e /proc/self/fd/" + std::to_string(ours.get()) + " || echo closed") == "closed\n");
}

TEST_CASE("a program is killed with its object, and with the thread that started it") {
    const auto is_gone = [](const std::string& pid) { return ::kill(std::stoi(pid), 0) != 0; };
    const unlearn::testing::TemporaryFolder folder;
    const auto file = folder.path() / "pid";
    const auto start = [&] {
        auto process = shell("echo $$ >" + file.string() + ".new; mv " + file.string() + ".new " +
                             file.string() + "; exec sleep 600");
        while (!std::filesystem::exists(file))
            std::this_thread::sleep_for(1ms);
        return process;
    };
    const auto pid = [&] {
        std::string text;
        std::ifstream(file) >> text;
        return text;
    };
    SUBCASE("with its object") {
        { const auto process = start(); }
        CHECK(is_gone(pid()));
    }
    SUBCASE("with the thread that started it") {
        std::optional<ChildProcess> process;
        std::thread([&] { process.emplace(start()); }).join();
        CHECK(process->wait() == 128 + SIGKILL);
    }
}

TEST_CASE("a process keeps its program when it is moved") {
    std::vector<ChildProcess> processes;
    processes.push_back(shell("exit 1"));
    processes.push_back(shell("exit 2"));
    processes.erase(processes.begin());
    CHECK(processes.front().wait() == 2);
}
