#include <algorithm>
#include <deque>
#include <utility>

#include <doctest/doctest.h>

#include "node/runtime/node.hpp"
#include "protocol/network_statements.hpp"

/// What a node itself decides, on a host without threads, disk or sockets.

using namespace unlearn;

namespace {

class RulesTimer final : public runtime::Timer {
  public:
    void set(std::chrono::milliseconds, std::function<void()>) override {}
    void cancel() override {}
};

/// Answers every batch in the same way.
class RulesStore final : public storage::AsyncStore {
  public:
    explicit RulesStore(protocol::Result<void> answer) : answer_(std::move(answer)) {}
    [[nodiscard]] protocol::Result<void> submit(std::vector<protocol::StoreOp>, Done done) override {
        done(answer_);
        return {};
    }
    [[nodiscard]] protocol::Result<void> post(std::function<void(storage::Store&)>) override { return {}; }
    [[nodiscard]] storage::StorageCounters counters() const override { return {}; }
    [[nodiscard]] std::optional<protocol::Error> failure() const override { return std::nullopt; }

  private:
    protocol::Result<void> answer_;
};

class RulesHost final : public runtime::Host {
  public:
    protocol::LoadedState state;
    protocol::Result<void> disk_says;

    [[nodiscard]] protocol::Now now() const override {
        return {protocol::SteadyTime{std::chrono::hours{1}},
                protocol::WallTime{std::chrono::seconds{1'700'000'000}}};
    }
    [[nodiscard]] std::uint64_t random_number() override { return ++random_; }
    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
    [[nodiscard]] std::unique_ptr<runtime::Timer> make_timer() override {
        return std::make_unique<RulesTimer>();
    }
    [[nodiscard]] protocol::Result<runtime::OpenedStorage> open_storage(const std::filesystem::path&,
                                                                        const storage::Binding&,
                                                                        std::uint64_t) override {
        return runtime::OpenedStorage{state, {}, std::make_unique<RulesStore>(disk_says)};
    }
    void run_tasks() {
        for (; !tasks_.empty(); tasks_.pop_front())
            tasks_.front()();
    }

  private:
    std::uint64_t random_ = 0;
    std::deque<std::function<void()>> tasks_;
};

class RulesTransport final : public network::Transport {
  public:
    explicit RulesTransport(std::size_t& admits) : admits_(admits) {}
    [[nodiscard]] protocol::Result<void> start(network::TransportHandler&) override { return {}; }
    void dial(const protocol::PeerAddress&) override {}
    void hang_up(const protocol::NodeId&) override {}
    void send(network::SessionId, network::Frames, network::Priority) override {}
    void close(network::SessionId) override {}
    void allow(std::span<const protocol::CurvePublicKey>) override {}
    void admit_provisionally(std::size_t at_most, std::chrono::milliseconds) override { admits_ = at_most; }
    [[nodiscard]] std::optional<std::string> bound_endpoint() const override { return std::nullopt; }
    [[nodiscard]] network::TrafficCounters traffic() const override { return {}; }
    void stop() override {}

  private:
    std::size_t& admits_;
};

class RulesSeeds final : public runtime::SeedHolder {
  public:
    void check(const protocol::NodeId&, protocol::SeedVersion, const std::string&, protocol::SharedSeedBytes,
               std::function<void(runtime::SeedVerdict)>) override {}
    void install(const protocol::NodeId&, protocol::SeedVersion) override {}
    void suspend(const protocol::NodeId&, protocol::SeedVersion) override {}
    void drop(const protocol::NodeId&) override {}
    void wipe(const protocol::NodeId&, std::function<void()>) override {}
};

/// One node and what it told of.
struct RulesNode {
    protocol::Identity identity = protocol::Identity::from_seed({1});
    protocol::Identity key = protocol::Identity::from_seed({99});
    protocol::Identity next_key = protocol::Identity::from_seed({98});
    std::shared_ptr<RulesHost> host = std::make_shared<RulesHost>();
    std::size_t admits = 0;
    RulesSeeds seeds;
    std::vector<protocol::EventKind> events;
    std::unique_ptr<runtime::Node> node;

    [[nodiscard]] protocol::Result<void> create(bool with_key = true) {
        runtime::NodeOptions options;
        if (with_key) options.engine.network_key = key.id();
        auto made = runtime::Node::create(
            host, identity, std::move(options), std::make_unique<RulesTransport>(admits), seeds,
            [this](const protocol::Event& event, auto) { events.push_back(event.kind); });
        if (!made) return tl::unexpected(made.error());
        node = std::move(*made);
        return {};
    }
    void start() {
        node->start();
        host->run_tasks();
    }
    [[nodiscard]] bool told(protocol::EventKind kind) const {
        return std::find(events.begin(), events.end(), kind) != events.end();
    }
    [[nodiscard]] protocol::SignedBytes membership_of(const protocol::NodeId& member) const {
        return sign_term_membership(
            key, {}, {key.id(), member, 1, {}, protocol::WallTime{std::chrono::seconds{2'000'000'000}}});
    }
};

}  // namespace

TEST_CASE("an identity that has retired never runs again") {
    RulesNode lone;
    lone.host->state.retired = protocol::PutRetired{"exit complete"};
    const auto refused = lone.create();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == protocol::ErrorCode::retired);
    CHECK(refused.error().text().find("exit complete") != std::string::npos);
}

TEST_CASE("whoever is not listed may come to show its membership where the network has a key, only there") {
    for (const bool with_key : {true, false}) {
        RulesNode lone;
        REQUIRE(lone.create(with_key));
        CHECK(lone.admits == 0);  // not before the start
        lone.start();
        CHECK(lone.admits == (with_key ? protocol::kMaxProvisionalPeers : 0));
    }
}

TEST_CASE("a membership of another node is refused by name, and one's own is shown from then on") {
    RulesNode lone;
    REQUIRE(lone.create());
    lone.start();
    const auto others = lone.node->renew_membership(lone.membership_of(lone.next_key.id()));
    REQUIRE_FALSE(others);
    CHECK(others.error().code == protocol::ErrorCode::bad_identity);
    const auto own = lone.membership_of(lone.identity.id());
    CHECK(lone.node->renew_membership(own));
    lone.host->run_tasks();
    CHECK(lone.node->engine().network_key().membership == own);
}

TEST_CASE("a revocation that is known may be submitted again, also when its key was replaced since") {
    using protocol::NetworkStatementKind;
    RulesNode lone;
    REQUIRE(lone.create());
    lone.start();
    const auto by_old_key = [&](std::uint8_t member) {
        return sign_revocation(lone.key, {},
                               {lone.key.id(), protocol::Identity::from_seed({member}).id(), 1, {}});
    };
    const auto submit = [&](NetworkStatementKind kind, const protocol::SignedBytes& statement) {
        return lone.node->submit_network_statement(kind, statement);
    };
    CHECK(submit(NetworkStatementKind::revocation, by_old_key(2)));
    CHECK(submit(NetworkStatementKind::succession,
                 sign_succession(lone.key, {}, {lone.key.id(), lone.next_key.id(), 1, {}, {}})));
    CHECK(submit(NetworkStatementKind::revocation, by_old_key(2)));
    const auto too_late = submit(NetworkStatementKind::revocation, by_old_key(3));
    REQUIRE_FALSE(too_late);
    CHECK(too_late.error().code == protocol::ErrorCode::not_authorised);
}

TEST_CASE("a record of our own that the disk can never keep ends the node, and a full disk does not") {
    using protocol::EventKind;
    for (const auto code : {protocol::ErrorCode::not_storable, protocol::ErrorCode::internal}) {
        RulesNode lone;
        lone.host->disk_says = protocol::fail(code, "test");
        REQUIRE(lone.create());
        lone.start();
        const bool never = code == protocol::ErrorCode::not_storable;
        CHECK(lone.told(EventKind::store_impossible) == never);
        CHECK(lone.told(EventKind::store_failed) == !never);
    }
}
