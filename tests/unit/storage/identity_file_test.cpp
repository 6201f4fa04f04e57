#include "node/storage/identity_file.hpp"

#include <fstream>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/storage/support.hpp"

using namespace unlearn::protocol;
using namespace unlearn::storage;
using namespace unlearn::storage::testing;

namespace {

std::string refusal_of(const std::filesystem::path& path) {
    const auto identity = load_identity(path);
    REQUIRE(!identity);
    CHECK(identity.error().detail.find('\n') == std::string::npos);
    CHECK(identity.error().detail.find(path.string()) != std::string::npos);
    return identity.error().detail;
}

}  // namespace

TEST_CASE("a key file gives back the identity that was written, and is for its owner alone") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "node.key";
    const auto identity = Identity::generate();
    const auto previous = ::umask(0);
    REQUIRE(create_identity_file(path, identity));
    ::umask(previous);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    const auto loaded = load_identity(path);
    REQUIRE_MESSAGE(loaded, loaded.error().text());
    CHECK(loaded->id() == identity.id());
    CHECK(loaded->secret_seed() == identity.secret_seed());
    CHECK(content_of(path) == "unlearnd identity 1\nsecret " + to_hex(identity.secret_seed()) + "\nid " +
                                  identity.id().text() + "\n");
}

TEST_CASE("a key file is never replaced") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "node.key";
    REQUIRE(create_identity_file(path, Identity::generate()));
    const auto before = content_of(path);
    const auto second = create_identity_file(path, Identity::generate());
    REQUIRE(!second);
    CHECK(contains(second.error().detail, "exists already and is not replaced"));
    CHECK(content_of(path) == before);
    CHECK(!create_identity_file(folder.path() / "missing" / "node.key", Identity::generate()));
}

TEST_CASE("a key file that others can use is refused with the remedy") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "node.key";
    REQUIRE(create_identity_file(path, Identity::generate()));
    for (const unsigned mode : {0640u, 0604u, 0644u}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(refusal_of(path) ==
              "key file " + path.string() + " can be read by others: chmod 600 " + path.string());
    }
    for (const unsigned mode : {0620u, 0602u, 0610u}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(contains(refusal_of(path), "can be changed by others: chmod 600"));
    }
    REQUIRE(::chmod(path.c_str(), 0400) == 0);
    CHECK(load_identity(path));
}

TEST_CASE("what is not a regular file of ours is refused") {
    const TemporaryFolder folder;
    CHECK(contains(refusal_of(folder.path() / "missing"), "No such file or directory"));
    CHECK(contains(refusal_of(folder.path()), "is not a regular file"));
    const auto path = folder.path() / "node.key";
    REQUIRE(create_identity_file(path, Identity::generate()));
    const auto link = folder.path() / "link";
    std::filesystem::create_symlink(path, link);
    CHECK(contains(refusal_of(link), "is not a regular file"));
    const auto fifo = folder.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(contains(refusal_of(fifo), "is not a regular file"));
    if (::geteuid() != 0) {
        MESSAGE("skipped: giving a file to another user needs root");
        return;
    }
    REQUIRE(::chown(path.c_str(), 12345, 0) == 0);
    CHECK(contains(refusal_of(path), "belongs to user 12345, not to user 0"));
}

TEST_CASE("a key file of another format or with an id that does not fit is refused") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "node.key";
    REQUIRE(create_identity_file(path, Identity::generate()));
    const auto good = content_of(path);
    const auto other = Identity::generate().id().text();
    const auto with = [&](const std::string& text) {
        std::ofstream(path, std::ios::trunc) << text;
        return refusal_of(path);
    };
    CHECK(contains(with(""), "does not begin with"));
    CHECK(contains(with("unlearnd identity 2" + good.substr(19)), "does not begin with"));
    CHECK(contains(with(good.substr(0, 60)), "line 2"));
    auto bad_digit = good;
    bad_digit[30] = 'G';
    CHECK(contains(with(bad_digit), "line 2"));
    CHECK(contains(with(good.substr(0, good.size() - 1)), "line 3"));
    auto bad_id = good;
    bad_id[good.size() - 5] = bad_id[good.size() - 5] == 'a' ? 'b' : 'a';
    CHECK(contains(with(bad_id), "line 3: bad identity"));
    CHECK(contains(with(good.substr(0, good.size() - 57) + other + "\n"), "does not fit its secret"));
    CHECK(contains(with(good + "more\n"), "more than three lines"));
    CHECK(contains(with(std::string(100000, 'x')), "does not begin with"));
    std::ofstream(path, std::ios::trunc) << good;
    CHECK(load_identity(path));
}
