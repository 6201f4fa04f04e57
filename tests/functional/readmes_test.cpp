#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <doctest/doctest.h>

/// What documents name must exist: the targets of links, and the files in the tables of each folder's README.

namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// All documents of the project, without what is built or generated.
std::vector<fs::path> documents() {
    std::vector<fs::path> found;
    for (auto it = fs::recursive_directory_iterator(UNLEARN_SOURCE_DIR);
         it != fs::recursive_directory_iterator(); ++it) {
        const auto name = it->path().filename().string();
        if (it->is_directory() && (name == "build" || name == "out" || name.starts_with(".")))
            it.disable_recursion_pending();
        else if (it->path().extension() == ".md")
            found.push_back(it->path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<std::string> all_matches(const std::string& text, const std::regex& pattern) {
    std::vector<std::string> out;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
        out.push_back((*it)[1].str());
    return out;
}

std::vector<std::string> link_targets(const std::string& text) {
    static const std::regex link(R"(\]\(([^)#\s]+)(#[^)]*)?\))");
    auto targets = all_matches(text, link);
    std::erase_if(targets, [](const auto& target) { return target.find("://") != std::string::npos; });
    return targets;
}

/// The names in the first column of tables whose header begins with "file".
std::vector<std::string> named_files(const std::string& text) {
    static const std::regex name("`([A-Za-z0-9_./-]+)`");
    std::vector<std::string> names;
    bool inside = false;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("| file |") || line.starts_with("| File |")) inside = true;
        if (!line.starts_with("|")) inside = false;
        if (!inside) continue;
        for (auto& found : all_matches(line.substr(0, line.find('|', 1)), name))
            names.push_back(std::move(found));
    }
    return names;
}

/// `admission` stands for admission.hpp and admission.cpp, `faults` for a folder.
bool exists_in(const fs::path& folder, const std::string& name) {
    if (fs::exists(folder / name)) return true;
    const auto whole = folder / name;
    if (!fs::is_directory(whole.parent_path())) return false;
    return std::any_of(fs::directory_iterator(whole.parent_path()), fs::directory_iterator(),
                       [&](const auto& entry) { return entry.path().stem() == whole.filename(); });
}

}  // namespace

TEST_CASE("every link of a document leads to something that is there") {
    std::size_t links = 0;
    for (const auto& document : documents())
        for (const auto& target : link_targets(content_of(document))) {
            ++links;
            CHECK_MESSAGE(fs::exists(document.parent_path() / target), document.string()
                                                                           << " names " << target);
        }
    CHECK(links > 50);
}

TEST_CASE("every file that the table of a README names is in its folder") {
    std::size_t names = 0;
    for (const auto& document : documents()) {
        if (document.filename() != "README.md") continue;
        for (const auto& name : named_files(content_of(document))) {
            ++names;
            CHECK_MESSAGE(exists_in(document.parent_path(), name), document.string() << " names " << name);
        }
    }
    CHECK(names > 50);
}

TEST_CASE("the control: what is not there is noticed") {
    CHECK(link_targets("[a](b/c.md) and [d](https://example.org) and ![e](f.png#g)") ==
          std::vector<std::string>{"b/c.md", "f.png"});
    CHECK(named_files("| file | what |\n|---|---|\n| `a`, `b.hpp` | `c` |\n\n| other |\n|---|\n| `d` |\n") ==
          std::vector<std::string>{"a", "b.hpp"});
    const fs::path protocol = fs::path(UNLEARN_SOURCE_DIR) / "protocol";
    CHECK(exists_in(protocol, "records"));
    CHECK(exists_in(protocol, "engine/router"));
    CHECK_FALSE(exists_in(protocol, "engine_gossip"));
    CHECK_FALSE(exists_in(protocol, "no/such"));
}

TEST_CASE("the unit lets the daemon lower the priority of its training") {
    const fs::path folder = fs::path(UNLEARN_SOURCE_DIR) / "packaging/systemd";
    std::size_t units = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".service") continue;
        ++units;
        const std::string unit = content_of(entry.path());
        // What comes later counts: setpriority is one of @resources.
        const auto forbidden = unit.find("SystemCallFilter=~@privileged @resources\n");
        const auto allowed = unit.find("SystemCallFilter=setpriority\n");
        REQUIRE(forbidden != std::string::npos);
        REQUIRE(allowed != std::string::npos);
        CHECK(forbidden < allowed);
    }
    CHECK(units == 1);
}
