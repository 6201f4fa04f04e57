#include <array>
#include <future>
#include <thread>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/network/zmq_context.hpp"
#include "node/network/zmq_transport.hpp"
#include "node/runtime/node.hpp"
#include "tests/unit/storage/support.hpp"

using namespace unlearn;
using namespace std::chrono_literals;
using storage::testing::TemporaryFolder;
using storage::testing::Traces;

namespace {

constexpr std::size_t kSeedBytes = 300'000;
constexpr std::uint64_t kSeedNumber = 77;

/// Keeps the bytes themselves, as an ensemble keeps tensors.
class BytesHolder final : public runtime::SeedHolder {
  public:
    void check(const protocol::NodeId& owner, protocol::SeedVersion, const std::string&,
               protocol::SharedSeedBytes payload, std::function<void(runtime::SeedVerdict)> done) override {
        kept_[owner] = std::move(payload);
        done({});
    }
    void install(const protocol::NodeId&, protocol::SeedVersion) override {}
    void suspend(const protocol::NodeId&, protocol::SeedVersion) override {}
    void drop(const protocol::NodeId& owner) override { kept_.erase(owner); }
    void wipe(const protocol::NodeId&, std::function<void()> done) override { done(); }

  private:
    std::map<protocol::NodeId, protocol::SharedSeedBytes> kept_;
};

protocol::Identity identity(std::uint8_t number) {
    return protocol::Identity::from_seed({number});
}

/// One node with its own thread, context and folder.
class LoneNode {
  public:
    LoneNode(std::uint8_t number, std::optional<std::string> endpoint, protocol::Neighbour peer)
        : identity_(identity(number)) {
        runtime::NodeOptions options{folder_.path() / "state", storage::kLogEntries, {}};
        options.engine.network.value[0] = 42;
        options.engine.reachable = endpoint.has_value();
        options.engine.neighbours = {std::move(peer)};
        auto transport = std::make_unique<network::ZmqTransport>(io_, *context_, identity_, endpoint);
        node_ =
            std::move(runtime::Node::create(io_, identity_, std::move(options), std::move(transport), holder_,
                                            [this](const protocol::Event& event, auto) {
                                                if (event.kind == protocol::EventKind::seed_installed)
                                                    installed_.set_value();
                                                if (event.kind == protocol::EventKind::seed_erased)
                                                    erased_.set_value();
                                                if (event.kind == protocol::EventKind::retired)
                                                    retired_.set_value();
                                            })
                          .value());
        endpoint_ = node_->endpoint().value_or("");
        boost::asio::post(io_, [this] { node_->start(); });
        thread_ = std::thread([this] { io_.run(); });
    }
    ~LoneNode() { stop(); }

    /// Ends all sessions; the store is closed with the node.
    void stop() {
        if (!thread_.joinable()) return;
        boost::asio::post(io_, [this] {
            node_.reset();
            work_.reset();
        });
        thread_.join();
        context_.reset();
    }
    template <typename Job>
    void run(Job job) {
        boost::asio::post(io_, [this, job] { job(*node_); });
    }
    bool installed() { return installed_.get_future().wait_for(20s) == std::future_status::ready; }
    bool erased() { return erased_.get_future().wait_for(20s) == std::future_status::ready; }
    bool retired() { return retired_.get_future().wait_for(20s) == std::future_status::ready; }
    [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  private:
    TemporaryFolder folder_;
    std::promise<void> installed_, erased_, retired_;
    protocol::Identity identity_;
    BytesHolder holder_;
    std::unique_ptr<network::ZmqContext> context_ = std::move(network::ZmqContext::create().value());
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
    std::unique_ptr<runtime::Node> node_;
    std::string endpoint_;
    std::thread thread_;
};

/// The owner, in a process of its own: its memory is not the holder's.
[[noreturn]] void be_owner(int endpoint_pipe, int exit_pipe) {
    char byte = 0;
    bool good = false;
    {
        LoneNode owner(1, "tcp://127.0.0.1:0", {identity(2).id(), std::nullopt});
        owner.run([](runtime::Node& node) {
            node.publish("mlp:32", storage::testing::payload(kSeedNumber, kSeedBytes));
        });
        const std::string line = owner.endpoint() + "\n";
        good = ::write(endpoint_pipe, line.data(), line.size()) > 0 && ::read(exit_pipe, &byte, 1) == 1;
        owner.run([](runtime::Node& node) { node.begin_exit(); });
        good = good && owner.retired();
    }
    ::_exit(good ? 0 : 1);
}

}  // namespace

TEST_CASE("after an exit no 64 bytes of the seed are in the holder's folder or memory") {
    std::array<int, 2> endpoint_pipe{};
    std::array<int, 2> exit_pipe{};
    REQUIRE(::pipe(endpoint_pipe.data()) == 0);
    REQUIRE(::pipe(exit_pipe.data()) == 0);
    const pid_t owner = ::fork();
    REQUIRE(owner >= 0);
    if (owner == 0) be_owner(endpoint_pipe[1], exit_pipe[0]);

    std::string endpoint;
    for (char c = 0; ::read(endpoint_pipe[0], &c, 1) == 1 && c != '\n';)
        endpoint.push_back(c);
    const Traces traces(storage::testing::payload(kSeedNumber, kSeedBytes)->view());
    REQUIRE(traces.windows_in_own_memory() == 0);
    LoneNode holder(2, std::nullopt, {identity(1).id(), endpoint});
    REQUIRE(holder.installed());
    // The search finds what is there.
    CHECK(traces.windows_in_own_memory() > 0);
    CHECK(traces.count_in_folder(holder.folder() / "state") > 0);

    REQUIRE(::write(exit_pipe[1], "x", 1) == 1);
    REQUIRE(holder.erased());
    CHECK(traces.count_in_folder(holder.folder() / "state") == 0);
    int status = 0;
    REQUIRE(::waitpid(owner, &status, 0) == owner);
    CHECK(status == 0);
    holder.stop();
    CHECK(traces.windows_in_own_memory() == 0);
    CHECK(traces.count_in_folder(holder.folder() / "state") == 0);
    for (const int end : {endpoint_pipe[0], endpoint_pipe[1], exit_pipe[0], exit_pipe[1]})
        ::close(end);
}
