#include <doctest/doctest.h>

#include "support.hpp"

namespace {

using namespace unlearn::ctl;

TEST_CASE("help explains the exit codes, and wrong usage is exit code 2") {
    const auto help = call({"--help"});
    CHECK(help.code == 0);
    CHECK(help.out.find("3 unlearnd cannot be") != std::string::npos);
    CHECK(call({}).code == 2);
    CHECK(call({"no-such-command"}).code == 2);
    CHECK(call({"exit", "--timeout", "5"}).code == 2);
    CHECK(call({"exit", "--sealed", "x", "--wait"}).code == 2);
    CHECK(call({"status", "extra"}).code == 2);
}

TEST_CASE("a mistyped option or command is named, on one line, with the one that was meant") {
    const auto says = [](const std::vector<std::string>& arguments, const std::string& line) {
        const auto called = call(arguments);
        CHECK(called.code == 2);
        CHECK(called.out.empty());
        CHECK(called.err == "unlearnctl: " + line + "\n");
    };
    // --classes is missing because of it, and that is not what helps.
    says({"init", "--classses", "a,b", "--network", "n"},
         "--classses: no such option; did you mean --classes? (see unlearnctl init --help)");
    says({"status", "--jsom"}, "--jsom: no such option; did you mean --json? (see unlearnctl status --help)");
    says({"exit", "--tiemout=5"},
         "--tiemout: no such option; did you mean --timeout? (see unlearnctl exit --help)");
    says({"status", "--quite-another"}, "--quite-another: no such option (see unlearnctl status --help)");
    says({"inti"}, "inti: no such command; did you mean init? (see unlearnctl --help)");
    says({"peers", "ad", "x"}, "ad: no such command; did you mean add? (see unlearnctl peers --help)");
    says({"status", "extra"}, "extra: not expected here (see unlearnctl status --help)");
    says({"init"}, "--classes is required (see unlearnctl init --help)");
}

TEST_CASE("a number that is no whole one from 0 on is refused, however it would be read") {
    for (const char* number : {"-1", "18446744073709551616", "1.5", "x"}) {
        const auto called = call({"wait", "--seeds", number});
        CHECK(called.code == 2);
        CHECK(called.err == "unlearnctl: --seeds: " + std::string(number) +
                                " is not a whole number (0 or more), or is too large (see unlearnctl wait "
                                "--help)\n");
    }
    CHECK(call({"log", "-n", "-1"}).code == 2);
    CHECK(call({"log", "-n", "1", "--socket", "/no/such"}).code == 3);
}

TEST_CASE("an empty id names no peer, and a folder is no configuration") {
    const TemporaryFolder folder;
    const auto removal = call({"peers", "remove", "", "--socket", folder / "s"});
    CHECK(removal.code == 2);
    CHECK(removal.err == "unlearnctl: an empty id names no peer\n");
    const auto status = call({"status", "--config", folder.path().string()});
    CHECK(status.code == 2);
    CHECK(status.err ==
          "unlearnctl: " + folder.path().string() + ": is a folder, not a configuration file\n");
}

TEST_CASE("a configuration that cannot be read is one line with its place") {
    const TemporaryFolder folder;
    const auto missing = call({"status", "--config", folder / "none.toml"});
    CHECK(missing.code == 2);
    CHECK(missing.err == "unlearnctl: " + (folder / "none.toml") + ": cannot be read\n");
    const auto broken = folder.write("node.toml", "data_dir = \"x\"\n[network\n");
    const auto called = call({"status", "--config", broken});
    CHECK(called.code == 2);
    CHECK(called.err.starts_with("unlearnctl: " + broken.string() + ":2: "));
    CHECK(std::count(called.err.begin(), called.err.end(), '\n') == 1);
}

TEST_CASE("unlearnctl finds the socket in a configuration that the daemon would refuse") {
    const TemporaryFolder folder;
    const auto config =
        folder.write("node.toml", "control_socket = \"" + (folder / "s") + "\"\nno_such_key = 1\n");
    const auto called = call({"status", "--config", config});
    CHECK(called.code == 3);
    CHECK(called.err.find(folder / "s") != std::string::npos);
}

}  // namespace
