#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fleet.hpp"
#include "tests/support/temporary_folder.hpp"

/// What README.md and docs/ tell people to type, as it stands there. Indented blocks are commands. A block
/// after
/// `<!-- long -->` takes minutes, or rights on the machine: its programs, options and files are looked for,
/// and it is not run.

namespace {

using namespace unlearn::testing;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Block {
    std::string place;  ///< FILE:LINE
    std::string text;
    bool is_long = false;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::vector<Block> blocks_of(const std::string& name, const std::string& text) {
    const auto lines = lines_of(text);
    std::vector<Block> blocks;
    bool is_long = false;
    bool fenced = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].starts_with("```")) fenced = !fenced;
        if (lines[i] == "<!-- long -->") is_long = true;
        const bool begins = !fenced && lines[i].starts_with("    ") && (i == 0 || lines[i - 1].empty());
        if (!begins) {
            if (!lines[i].empty() && lines[i] != "<!-- long -->") is_long = false;
            continue;
        }
        Block block{name + ":" + std::to_string(i + 1), "", std::exchange(is_long, false)};
        for (; i < lines.size() && lines[i].starts_with("    "); ++i)
            block.text += lines[i].substr(4) + "\n";
        blocks.push_back(block);
    }
    return blocks;
}

/// The commands of a block as words, good enough for what documents hold: quotes, comments, lines that go on,
/// and commands within commands.
std::vector<Words> commands_of(const std::string& text) {
    std::vector<Words> commands(1);
    std::string word;
    bool quoted = false;
    const auto end_word = [&] {
        if (!word.empty()) commands.back().push_back(std::exchange(word, {}));
    };
    const auto end_command = [&] {
        end_word();
        if (!commands.back().empty()) commands.emplace_back();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\'') {
            quoted = !quoted;
        } else if (quoted) {
            word += c;
        } else if (c == '\\' && i + 1 < text.size() && text[i + 1] == '\n') {
            end_word();
            ++i;
        } else if (c == '#' && word.empty()) {
            i = text.find('\n', i) - 1;
        } else if (c == ' ') {
            end_word();
        } else if (std::string("\n;|&()").find(c) != std::string::npos) {
            end_command();
            // What follows a command within a word is the rest of that word.
            if (c == ')')
                while (i + 1 < text.size() && std::string(" \n)").find(text[i + 1]) == std::string::npos)
                    ++i;
        } else {
            word += c;
        }
    }
    end_command();
    commands.pop_back();
    return commands;
}

/// Everything that a block needs, and where it may write: the programs, and links to what a checkout holds.
class Checkout {
  public:
    Checkout() {
        for (const auto& entry : fs::directory_iterator(UNLEARN_SOURCE_DIR))
            if (const auto name = entry.path().filename(); name != "build" && name != "out")
                fs::create_directory_symlink(entry.path(), path() / name);
        fs::create_directories(path() / "build/release");
        fs::create_directory_symlink(UNLEARN_BIN_DIR, path() / "build/release/bin");
    }
    [[nodiscard]] const fs::path& path() const { return folder_.path(); }

    /// Runs a block as a script that ends at the first command that fails. @return what went wrong.
    [[nodiscard]] std::string run(const Block& block, const std::string& before = "") const {
        folder_.write("block.sh", before + block.text);
        const std::string command = "cd " + path().string() + " && PATH=" + UNLEARN_BIN_DIR +
                                    ":$PATH bash -eu -o pipefail block.sh >block.out 2>&1 </dev/null";
        const int status = std::system(command.c_str());
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
        return block.place + " ends with " + std::to_string(WEXITSTATUS(status)) + ":\n" +
               content_of(path() / "block.out");
    }
    /// Looks for programs, options and files. @return one line for each that does not exist.
    [[nodiscard]] std::string look_at(const Block& block) const {
        std::string problems;
        for (const auto& command : commands_of(block.text)) {
            const bool is_function = block.text.find(command.front() + "() {") != std::string::npos;
            if (const auto problem = look_at(command); !problem.empty() && !is_function)
                problems += block.place + ": " + problem + "\n";
        }
        return problems;
    }

  private:
    [[nodiscard]] std::string output_of(const std::string& command) const {
        const auto file = path() / "output";
        static_cast<void>(std::system(
            ("cd " + path().string() + " && " + command + " >" + file.string() + " 2>&1").c_str()));
        return content_of(file);
    }
    [[nodiscard]] std::string look_at(Words words) const {
        static const std::set<std::string> kWrappers = {"do", "then", "if", "export", "sudo", "!", "{"};
        static const std::set<std::string> kShell = {"for", "done", "fi",   "cd", "echo",
                                                     "[",   "kill", "tail", "}"};
        static const std::set<std::string> kOfMachines = {"apt", "systemctl", "cpack", "curl"};
        while (!words.empty() &&
               (kWrappers.contains(words.front()) || words.front().find('=') != std::string::npos))
            words.erase(words.begin());
        if (!words.empty() && words.front() == "runuser")
            words.erase(words.begin(), std::find(words.begin(), words.end(), "--") + 1);
        if (words.empty() || kShell.contains(words.front())) return "";
        const auto program = fs::path(words.front()).filename().string();
        const bool is_ours =
            program == "unlearnd" || program.starts_with("unlearn-") || program == "unlearnctl";
        const bool is_path = words.front().find('/') != std::string::npos;
        if (is_path ? !fs::exists(path() / words.front())
                    : !kOfMachines.contains(program) && !fs::exists(fs::path(UNLEARN_BIN_DIR) / program))
            return words.front() + ": no such program";
        for (std::size_t i = 1; i < words.size(); ++i) {
            const auto& word = words[i];
            const bool names_a_file = word.find('/') != std::string::npos && !word.starts_with("-") &&
                                      word.find_first_of(":*$<>") == std::string::npos;
            const bool is_written =
                word.starts_with("out/") || words[i - 1] == "--out" || words[i - 1] == "-o";
            const bool is_of_a_machine = word.starts_with("/") || word.starts_with("./build");
            if (names_a_file && !is_written && !is_of_a_machine && !fs::exists(path() / word))
                return word + ": no such file";
        }
        return is_ours ? look_at_options(program, words) : "";
    }
    [[nodiscard]] std::string look_at_options(const std::string& program, const Words& words) const {
        std::string command = (fs::path(UNLEARN_BIN_DIR) / program).string();
        std::string help = output_of(command + " --help");
        // A subcommand may have subcommands itself. Aliases stand after a comma.
        std::string newest = help;
        for (std::size_t i = 1; i < words.size(); ++i) {
            const auto subcommands = newest.find("Subcommands:");
            if (subcommands == std::string::npos) break;
            if (newest.find("\n  " + words[i] + " ", subcommands) == std::string::npos &&
                newest.find("\n  " + words[i] + ",", subcommands) == std::string::npos)
                continue;
            command += " " + words[i];
            newest = output_of(command + " --help");
            help += newest;
        }
        for (const auto& word : words) {
            if (!word.starts_with("--")) continue;
            const auto option = word.substr(0, word.find('='));
            auto at = help.find(option);
            // --label is not there because --labels is.
            while (at != std::string::npos &&
                   std::string(" ,=:\n").find(help[at + option.size()]) == std::string::npos)
                at = help.find(option, at + 1);
            if (at == std::string::npos) return program + ": no option " + option;
        }
        return "";
    }

    TemporaryFolder folder_;
};

std::vector<Block> blocks_of_documents() {
    std::vector<fs::path> files{fs::path(UNLEARN_SOURCE_DIR) / "README.md"};
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(UNLEARN_SOURCE_DIR) / "docs"))
        if (entry.path().extension() == ".md") files.push_back(entry.path());
    std::vector<Block> blocks;
    for (const auto& file : files)
        for (auto& block : blocks_of(fs::relative(file, UNLEARN_SOURCE_DIR).string(), content_of(file)))
            blocks.push_back(std::move(block));
    return blocks;
}

bool is_free(int port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::close(probe);
    return bound;
}

TEST_CASE("what documents tell people to type exists") {
    const Checkout checkout;
    const auto blocks = blocks_of_documents();
    CHECK(blocks.size() >= 8);
    for (const auto& block : blocks) {
        const auto problems = checkout.look_at(block);
        CHECK_MESSAGE(problems.empty(), problems);
    }
}

TEST_CASE("a document that is wrong is noticed") {
    const Checkout checkout;
    const auto look_at = [&](const std::string& text) { return checkout.look_at({"x.md:1", text, true}); };
    CHECK(look_at("unlearnctl --config a.toml status --json   # fine\n").empty());
    CHECK(look_at("scripts/demo\n").empty());
    CHECK(look_at("scripts/dmeo\n") == "x.md:1: scripts/dmeo: no such program\n");
    CHECK(look_at("unlearnctrl status\n") == "x.md:1: unlearnctrl: no such program\n");
    CHECK(look_at("unlearnctl status --jsn\n") == "x.md:1: unlearnctl: no option --jsn\n");
    CHECK(look_at("unlearnctl status --jso\n") == "x.md:1: unlearnctl: no option --jso\n");
    CHECK(look_at("for n in a; do\n  unlearnctl init --network x \\\n    --clases a,b &\ndone\n") ==
          "x.md:1: unlearnctl: no option --clases\n");
    CHECK(look_at("echo x && build/release/bin/unlearn-sim run sim/scenarios/quick.toml\n") ==
          "x.md:1: sim/scenarios/quick.toml: no such file\n");
    CHECK(look_at("unlearnctl --config b.toml peers add $(unlearnctl ids --jon)@tcp://h:1\n") ==
          "x.md:1: unlearnctl: no option --jon\n");

    CHECK(checkout.run({"x.md:1", "true\n"}).empty());
    CHECK(checkout.run({"x.md:1", "echo said; false\ntrue\n"}) == "x.md:1 ends with 1:\nsaid\n");
    const auto blocks = blocks_of("x.md",
                                  "Text\n\n    one\n    two\n\n<!-- long -->\n\n    three\n\n```\n\n    not "
                                  "a block\n```\n\n    four\n");
    REQUIRE(blocks.size() == 3);
    CHECK(blocks[0].text == "one\ntwo\n");
    CHECK(blocks[0].place == "x.md:3");
    CHECK_FALSE(blocks[0].is_long);
    CHECK(blocks[1].is_long);
    CHECK_FALSE(blocks[2].is_long);
}

TEST_CASE("the blocks of the documents run as scripts") {
    // docs/control-api.md speaks to a node that is there.
    const TemporaryFolder ground;
    write_reference(ground.path());
    const auto device = new_device(ground.path(), "documented", 1, false);
    REQUIRE(device->ctl("wait").code == 0);
    const std::string socket = "SOCKET=" + (device->folder() / "socket").string() + "\n";
    const bool has_curl = std::system("curl --version >/dev/null 2>&1") == 0;
    std::size_t run = 0;
    for (const auto& block : blocks_of_documents()) {
        if (block.is_long) continue;
        const auto uses = [&](const std::string& part) { return block.text.find(part) != std::string::npos; };
        if (uses("curl ") && !has_curl) {
            MESSAGE("not run, for there is no curl: ", block.place);
            continue;
        }
        if (uses("741") && !(is_free(7411) && is_free(7412))) {
            MESSAGE("not run, for its ports are taken: ", block.place);
            continue;
        }
        const Checkout checkout;
        const auto problem = checkout.run(block, uses("SOCKET") ? socket : "");
        CHECK_MESSAGE(problem.empty(), problem);
        ++run;
    }
    CHECK(run >= 3);
}

}  // namespace
