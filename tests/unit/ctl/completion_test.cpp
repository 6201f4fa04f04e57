#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "support.hpp"

// The completion of bash and the command line must offer the same.
namespace {

using namespace unlearn::ctl;
using Words = std::set<std::string>;

std::string joined(const Words& words) {
    std::string out;
    for (const auto& word : words)
        out += word + " ";
    return out;
}

/// What bash offers for `word` after `before`.
Words offered(const std::string& before, const std::string& word) {
    const std::string script =
        "source " UNLEARN_SOURCE_DIR "/packaging/bash-completion/unlearnctl; COMP_WORDS=(unlearnctl " +
        before + " '" + word +
        "'); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _unlearnctl; printf '%s\\n' \"${COMPREPLY[@]}\"";
    const std::string command = "bash -c '" + [&] {
        std::string quoted;
        for (const char c : script)
            quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return quoted;
    }() + "'";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    REQUIRE(pipe != nullptr);
    std::string text;
    for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get()))
        text += static_cast<char>(c);
    std::istringstream in(text);
    Words words;
    for (std::string line; in >> line;)
        words.insert(line);
    return words;
}

/// The words with which the lines of a help text begin, "-o,--output" as two: no further in than options
/// of a group are.
Words named(const std::string& help, const std::string& section = "") {
    constexpr std::size_t kFurthestIn = 4;
    Words words;
    bool inside = section.empty();
    std::istringstream in(help);
    for (std::string line; std::getline(in, line);) {
        const auto indent = line.find_first_not_of(' ');
        if (indent == 0 && !section.empty()) inside = line.starts_with(section);
        if (!inside || indent == 0 || indent > kFurthestIn) continue;
        std::string word;
        std::istringstream(line) >> word;
        for (std::istringstream parts(word); std::getline(parts, word, ',');)
            words.insert(word);
    }
    return words;
}

/// Long options, those that all commands have included; a short one where there is no long one.
Words options_of(const std::string& command) {
    Words words{"--config", "--socket", "--json", "--patience"};
    for (const auto& word : named(call({command, "--help"}).out))
        if (word.starts_with("--") || word == "-n") words.insert(word);
    return words;
}

TEST_CASE("bash offers every command") {
    auto commands = named(call({"--help"}).out, "Subcommands");
    REQUIRE(commands.size() > 10);
    Words words = offered("", "");
    std::erase_if(words, [](const auto& word) { return word.starts_with("-"); });
    CHECK(words == commands);
}

TEST_CASE("bash offers the options that each command has, and no others") {
    const auto commands = named(call({"--help"}).out, "Subcommands");
    for (const auto& command : commands) {
        CAPTURE(command);
        CHECK(joined(offered(command, "-")) == joined(options_of(command)));
    }
}

}  // namespace
