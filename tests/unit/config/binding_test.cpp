#include "node/config/binding.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/support/temporary_folder.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::testing;

config::Binding some_binding() {
    config::Binding binding;
    binding.network.value[0] = 7;
    binding.network.value[31] = 255;
    protocol::SignedBytes membership{{1, 2, 0, 3}, {}};
    membership.signature.value[5] = 9;
    binding.membership = membership;
    return binding;
}

/// The error for a file that holds `content`.
std::string complaint(const std::string& content) {
    const TemporaryFolder folder;
    const auto file = folder.write("binding.json", content);
    const auto loaded = config::load_binding(file);
    REQUIRE(!loaded);
    const auto& detail = loaded.error().detail;
    CHECK(detail.starts_with(file.string() + ": "));
    CHECK(detail.find('\n') == std::string::npos);
    return detail.substr(file.string().size() + 2);
}

TEST_CASE("a binding comes back as it was written, with and without a membership") {
    for (const bool member : {true, false}) {
        const TemporaryFolder folder;
        const auto file = folder.path() / "binding.json";
        auto binding = some_binding();
        if (!member) binding.membership.reset();
        const auto previous = ::umask(0);
        const auto made = config::create_binding(file, binding);
        ::umask(previous);
        REQUIRE_MESSAGE(made, made.error().text());
        struct stat status {};
        REQUIRE(::stat(file.c_str(), &status) == 0);
        CHECK((status.st_mode & 07777U) == 0600);
        const auto loaded = config::load_binding(file);
        REQUIRE_MESSAGE(loaded, loaded.error().text());
        CHECK(loaded->network == binding.network);
        CHECK(loaded->membership == binding.membership);
    }
}

TEST_CASE("a binding is never replaced") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "binding.json";
    REQUIRE(config::create_binding(file, some_binding()));
    const auto before = content_of(file);
    auto other = some_binding();
    other.network.value[1] = 1;
    const auto again = config::create_binding(file, other);
    REQUIRE(!again);
    CHECK(again.error().detail == file.string() + ": exists already");
    CHECK(content_of(file) == before);
}

TEST_CASE("a missing or damaged binding is one line that names the file") {
    const TemporaryFolder folder;
    const auto missing = config::load_binding(folder.path() / "none.json");
    REQUIRE(!missing);
    CHECK(missing.error().detail.find("none.json: cannot be read") != std::string::npos);

    const auto network = std::string(64, 'a');
    CHECK(complaint("").starts_with("is damaged: "));
    CHECK(complaint("\n\n{\"network\": \n").starts_with("is damaged: "));
    CHECK(complaint("[]").starts_with("is damaged: "));
    CHECK(complaint("{}").find("network") != std::string::npos);
    CHECK(complaint(R"({"network": 5})").starts_with("is damaged: "));
    CHECK(complaint(R"({"network": "aa"})").starts_with("is damaged: "));
    CHECK(complaint(R"({"network": ")" + std::string(64, 'z') + "\"}").starts_with("is damaged: "));
    CHECK(
        complaint(R"({"network": ")" + network + R"(", "membership": {"bytes": "aa"}})").find("signature") !=
        std::string::npos);
    CHECK(complaint(R"({"network": ")" + network + R"(", "membership": {"bytes": "aa", "signature": "bb"}})")
              .starts_with("is damaged: "));

    // The rest of these is right.
    const auto good = folder.write("good.json", R"({"network": ")" + network + R"(", "membership": null})");
    CHECK(config::load_binding(good));
}

}  // namespace
