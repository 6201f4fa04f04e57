#include "node/daemon/late_seeds.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "protocol/identity.hpp"

namespace {

using namespace unlearn;
using protocol::NodeId;
using protocol::SeedVersion;

protocol::SharedSeedBytes payload() {
    return std::make_shared<const protocol::SeedBytes>(protocol::SeedBytes(protocol::Bytes(100, 7)));
}

struct RecordingHolder final : runtime::SeedHolder {
    std::vector<std::string> calls;
    void check(const NodeId&, SeedVersion version, const std::string&, protocol::SharedSeedBytes,
               std::function<void(runtime::SeedVerdict)> done) override {
        calls.push_back("check " + std::to_string(static_cast<std::uint64_t>(version)));
        done({});
    }
    void install(const NodeId&, SeedVersion) override { calls.emplace_back("install"); }
    void suspend(const NodeId&, SeedVersion) override { calls.emplace_back("suspend"); }
    void drop(const NodeId&) override { calls.emplace_back("drop"); }
    void wipe(const NodeId&, std::function<void()> done) override {
        calls.emplace_back("wipe");
        done();
    }
};

struct Answers {
    int verdicts = 0;
    int refused = 0;
    std::function<void(runtime::SeedVerdict)> done() {
        return [this](const runtime::SeedVerdict& verdict) {
            ++verdicts;
            if (verdict.problem) ++refused;
        };
    }
};

}  // namespace

TEST_CASE("seeds that come before the first model are checked once it is there, in their order") {
    daemon::LateSeeds late;
    RecordingHolder holder;
    Answers answers;
    const auto owner = protocol::Identity::generate().id();
    const auto other = protocol::Identity::generate().id();
    late.check(owner, SeedVersion{1}, "mlp:8", payload(), answers.done());
    late.check(other, SeedVersion{2}, "mlp:8", payload(), answers.done());
    CHECK(answers.verdicts == 0);
    late.ready(holder);
    CHECK(holder.calls == std::vector<std::string>{"check 1", "check 2"});
    CHECK(answers.verdicts == 2);
    CHECK(late.waiting() == 0);
    late.install(owner, SeedVersion{1});
    late.drop(owner);
    late.wipe(owner, [] {});
    CHECK(holder.calls.size() == 5);
}

TEST_CASE("an exit that comes before the first model forgets what waits, bytes and all") {
    daemon::LateSeeds late;
    RecordingHolder holder;
    Answers answers;
    const auto owner = protocol::Identity::generate().id();
    const auto other = protocol::Identity::generate().id();
    auto bytes = payload();
    const std::weak_ptr<const protocol::SeedBytes> alive = bytes;
    late.check(owner, SeedVersion{1}, "mlp:8", std::move(bytes), answers.done());
    late.check(other, SeedVersion{2}, "mlp:8", payload(), answers.done());
    late.drop(owner);
    CHECK(alive.expired());
    CHECK(answers.refused == 1);
    bool wiped = false;
    late.wipe(owner, [&] { wiped = true; });
    CHECK(wiped);
    late.ready(holder);
    CHECK(holder.calls == std::vector<std::string>{"check 2"});
}
