#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "tests/support/temporary_folder.hpp"

/// `unlearn-sim` as a user has it: commands in, files and exit codes out.
namespace unlearn::testing {

using nlohmann::json;
namespace fs = std::filesystem;

struct Finished {
    int code = 0;
    std::string out;
    std::string err;
};

class Playground {
  public:
    fs::path write(const std::string& name, const std::string& text) const {
        return folder_.write(name, text);
    }
    [[nodiscard]] Finished sim(const std::string& arguments) const {
        return program("unlearn-sim", arguments);
    }
    [[nodiscard]] Finished topo(const std::string& arguments) const {
        return program("unlearn-topo", arguments);
    }
    [[nodiscard]] const fs::path& path() const { return folder_.path(); }

  private:
    [[nodiscard]] Finished program(const std::string& name, const std::string& arguments) const {
        const fs::path out = path() / "stdout";
        const fs::path err = path() / "stderr";
        const std::string command = std::string(UNLEARN_BIN_DIR) + "/" + name + " " + arguments + " >" +
                                    out.string() + " 2>" + err.string();
        const int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, content_of(out), content_of(err)};
    }

    TemporaryFolder folder_;
};

/// Three clusters of points in five dimensions; learnt in a second.
inline std::string points(std::size_t rows, unsigned seed) {
    std::ostringstream out;
    out << "a,b,c,d,e,kind\n";
    unsigned state = seed;
    const auto noise = [&] {
        state = state * 1664525U + 1013904223U;
        return static_cast<double>(state >> 8) / (1 << 24) - 0.5;
    };
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t kind = i % 5;
        for (std::size_t d = 0; d < 5; ++d)
            out << (d == kind ? 1.0 : 0.0) + 1.6 * noise() << ',';
        out << "k" << kind << '\n';
    }
    return out.str();
}

inline std::string scenario(const std::string& more_data = "", const std::string& more_network = "") {
    return "name = \"points\"\nseed = 3\n[data]\nkind = \"csv\"\npath = \"train.csv\"\ntest_path = "
           "\"test.csv\"\nlabel = \"kind\"\n"
           "reference = 400\nimages_per_node = 200\nmissing = 1\nvalidation = 0.3\n" +
           more_data +
           "\n[topology]\nkind = \"ring\"\nnodes = 5\n[models]\nmain = [\"linear\", \"mlp:16\"]\nseed = "
           "[\"mlp:8\"]\n"
           "[training]\nepochs = 60\nbatch = 16\nlearning_rate = 0.01\n[distillation]\nepochs = "
           "40\n[network]\nexchange_timeout_s = "
           "30\nexit_timeout_s = 20\n" +
           more_network + "\n[[exit]]\nnode = \"node-2\"\n";
}

struct Ready : Playground {
    Ready() {
        write("train.csv", points(3000, 1));
        write("test.csv", points(600, 2));
        write("points.toml", scenario());
    }
    [[nodiscard]] json result(const std::string& folder) const {
        return json::parse(content_of(path() / folder / "result.json"));
    }
    [[nodiscard]] std::string run(const std::string& scenario_file, const std::string& more = "") const {
        return "run " + (path() / scenario_file).string() + " --out " + (path() / "out").string() + " " +
               more;
    }
};

}  // namespace unlearn::testing
