#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <doctest/doctest.h>

/// Who may include whom. Link lines keep functions apart; a header alone would slip through them.

namespace {

namespace fs = std::filesystem;

struct Layer {
    std::string folder;
    std::vector<std::string> allowed;    ///< of the project's own headers; empty: see `forbidden`
    std::vector<std::string> forbidden;  ///< beginnings of header names
};

const std::vector<Layer> kLayers = {
    {"protocol",
     {"protocol/"},
     {"torch/", "ATen/", "zmq", "boost/asio", "sqlite", "filesystem", "fstream", "iostream", "thread",
      "mutex", "condition_variable", "future", "sys/", "unistd.h"}},
    {"node/learning/data", {"node/learning/data/"}, {"torch/", "ATen/", "c10/"}},
    {"node/learning/features",
     {"node/learning/features/", "node/learning/data/"},
     {"torch/", "ATen/", "c10/", "cblas", "lapack"}},
    // What learns does not see what predicts with peers: half of the exactness rule. A folder of another
    // learner belongs to this layer.
    {"node/learning", {"node/learning/"}, {"node/learning/ensemble/", "node/learning/aggregation/"}},
    {"node/learning/aggregation",
     {"node/learning/aggregation/", "node/learning/data/", "node/learning/minimise.hpp"},
     {"torch/", "ATen/", "c10/"}},
    {"node/learning/ensemble", {"node/learning/"}, {}},
    {"node/network", {"node/network/", "protocol/"}, {"torch/", "ATen/"}},
    {"node/storage", {"node/storage/", "protocol/"}, {"torch/", "ATen/"}},
    {"node", {}, {"sim/", "tests/"}},
    {"topologies", {}, {"sim/", "tests/", "protocol/", "torch/", "ATen/"}},
    {"sim", {}, {"tests/"}},
};

/// The sources of the folder, without the folders inside that have a row of their own.
std::vector<fs::path> sources_of(const Layer& layer) {
    std::vector<fs::path> found;
    const fs::path root = UNLEARN_SOURCE_DIR;
    const auto has_own_row = [&](const fs::path& folder) {
        return std::any_of(kLayers.begin(), kLayers.end(),
                           [&](const Layer& other) { return root / other.folder == folder; });
    };
    for (auto it = fs::recursive_directory_iterator(root / layer.folder);
         it != fs::recursive_directory_iterator(); ++it) {
        if (it->is_directory() && has_own_row(it->path())) it.disable_recursion_pending();
        const auto ending = it->path().extension();
        if (ending == ".hpp" || ending == ".cpp") found.push_back(it->path());
    }
    return found;
}

std::vector<std::string> includes_of(const std::string& text) {
    static const std::regex pattern(R"re((?:^|\n)#include [<"]([^>"]+)[>"])re");
    std::vector<std::string> headers;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
        headers.push_back((*it)[1].str());
    return headers;
}

bool begins_with_one_of(const std::string& header, const std::vector<std::string>& beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](const auto& beginning) { return header.starts_with(beginning); });
}

bool is_ours(const std::string& header) {
    return begins_with_one_of(header, {"protocol/", "node/", "sim/", "topologies/", "tests/"});
}

bool may_include(const Layer& layer, const std::string& header) {
    if (begins_with_one_of(header, layer.forbidden)) return false;
    return layer.allowed.empty() || !is_ours(header) || begins_with_one_of(header, layer.allowed);
}

}  // namespace

TEST_CASE("every folder includes only what its layer allows") {
    for (const Layer& layer : kLayers) {
        const auto sources = sources_of(layer);
        CHECK_MESSAGE(!sources.empty(), layer.folder, " has no sources");
        for (const auto& source : sources) {
            std::ifstream in(source);
            for (const auto& header : includes_of({std::istreambuf_iterator<char>(in), {}}))
                CHECK_MESSAGE(may_include(layer, header), source.string(), " includes ", header);
        }
    }
}

TEST_CASE("an include across the layers is seen") {
    const auto headers = includes_of("#pragma once\n\n#include <vector>\n#include \"sim/run/run.hpp\"\n");
    REQUIRE(headers == std::vector<std::string>{"vector", "sim/run/run.hpp"});
    CHECK(may_include(kLayers.front(), "vector"));
    CHECK_FALSE(may_include(kLayers.front(), "sim/run/run.hpp"));
    CHECK_FALSE(may_include(kLayers.front(), "thread"));
    CHECK(may_include(kLayers.front(), "protocol/records.hpp"));
}
