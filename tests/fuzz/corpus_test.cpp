#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

// Every input of the corpus, also those that once broke a target, fed to its target by every compiler and
// under every sanitizer that the tests run with. A target that finds something aborts.
#define UNLEARN_FUZZ_TARGET(name) extern "C" int fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.inc"
#undef UNLEARN_FUZZ_TARGET

namespace {

using Target = int (*)(const std::uint8_t*, std::size_t);

std::size_t feed(const std::string& name, Target target) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(UNLEARN_FUZZ_CORPUS "/" + name))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        INFO(file.string());
        std::ifstream in(file, std::ios::binary);
        const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
        CHECK(target(bytes.data(), bytes.size()) == 0);
    }
    return files.size();
}

}  // namespace

TEST_CASE("the corpus breaks no fuzz target") {
#define UNLEARN_FUZZ_TARGET(name) CHECK_MESSAGE(feed(#name, fuzz_##name) > 0, #name);
#include "fuzz_targets.inc"
#undef UNLEARN_FUZZ_TARGET
}
