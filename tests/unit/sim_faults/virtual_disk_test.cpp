#include "sim/virtual/virtual_disk.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

using unlearn::sim::virtual_world::VirtualDisk;
using Crash = VirtualDisk::Crash;

namespace {

/// How often a file is there after a power cut, of 100 times: `happens` gets the disk with a durable file
/// "a".
template <typename Happens>
int times_there(const std::string& name, Happens&& happens) {
    int times = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        VirtualDisk disk(seed);
        REQUIRE(disk.ensure_private_file("a"));
        happens(disk);
        disk.restart(true);
        // What is there cannot be made.
        times += disk.make_file(name) ? 0 : 1;
    }
    return times;
}

bool sometimes(int times) {
    return times > 20 && times < 80;
}

}  // namespace

TEST_CASE("a power cut may bring back a removed file, until the folder is synced") {
    CHECK(times_there("a", [](VirtualDisk&) {}) == 100);
    CHECK(sometimes(times_there("a", [](VirtualDisk& disk) { disk.remove("a"); })));
    CHECK(times_there("a", [](VirtualDisk& disk) {
              disk.remove("a");
              REQUIRE(disk.ensure_private_file("b"));
          }) == 0);
    CHECK(times_there("a", [](VirtualDisk& disk) {
              disk.remove("a");
              REQUIRE(disk.make_file("b"));
              REQUIRE(disk.sync("b"));
          }) == 0);
}

TEST_CASE("the machine alone loses no file and brings none back") {
    VirtualDisk disk(1);
    REQUIRE(disk.ensure_private_file("a"));
    REQUIRE(disk.make_file("b"));
    disk.remove("a");
    disk.crash();
    disk.restart(false);
    CHECK(!disk.make_file("b"));
    CHECK(disk.make_file("a"));
}

TEST_CASE("a power cut may take a file whose name was not synced, and then leaves the one before it") {
    CHECK(sometimes(times_there("b", [](VirtualDisk& disk) { REQUIRE(disk.make_file("b")); })));
    CHECK(times_there("b", [](VirtualDisk& disk) {
              REQUIRE(disk.make_file("b"));
              REQUIRE(disk.sync("b"));
          }) == 100);
    CHECK(times_there("a", [](VirtualDisk& disk) {
              disk.remove("a");
              REQUIRE(disk.make_file("a"));
          }) > 50);
}

TEST_CASE("making and removing a file are operations, at which a machine can die") {
    VirtualDisk disk(1);
    const auto before = disk.operations();
    REQUIRE(disk.make_file("a"));
    disk.remove("a");
    CHECK(disk.operations() == before + 2);
    disk.remove("a");
    CHECK(disk.operations() == before + 2);
    for (const auto how : {Crash::before, Crash::torn, Crash::after}) {
        disk.format();
        disk.crash_at(0, how);
        CHECK(!disk.make_file("a"));
        CHECK(disk.crashed());
        disk.restart(false);
        CHECK(disk.make_file("a").has_value() == (how != Crash::after));
        disk.crash_at(0, how);
        disk.remove("a");
        CHECK(disk.crashed());
        disk.restart(false);
        CHECK(disk.make_file("a").has_value() == (how == Crash::after));
    }
}
