#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "node/network/zmq_context.hpp"
#include "node/network/zmq_transport.hpp"
#include "sim/result.hpp"
#include "sim/run/fabric.hpp"

namespace unlearn::sim::run {
namespace {

class ZmqFabric final : public Fabric {
  public:
    ZmqFabric(EventLog& events, int base_port, std::unique_ptr<network::ZmqContext> zmq)
        : events_(events), base_port_(base_port), zmq_(std::move(zmq)) {}
    ~ZmqFabric() override {
        work_.reset();
        io_.stop();
        thread_.join();
    }

    [[nodiscard]] protocol::Result<std::unique_ptr<runtime::Node>> make_node(
        std::size_t number, const NodeSetup& setup, const std::filesystem::path& folder,
        protocol::EngineConfig engine, runtime::SeedHolder& seeds) override {
        const int port = base_port_ == 0 ? 0 : base_port_ + static_cast<int>(number);
        auto transport = std::make_unique<network::ZmqTransport>(io_, *zmq_, setup.identity,
                                                                 "tcp://127.0.0.1:" + std::to_string(port));
        return runtime::Node::create(
            io_, setup.identity, {folder / "state", storage::kLogEntries, std::move(engine)},
            std::move(transport), seeds,
            [this, name = setup.name](const protocol::Event& event, EventLog::Clock::time_point at) {
                events_.add(name, event, at);
            });
    }
    void run(const std::function<void()>& job) override {
        std::packaged_task<void()> task(job);
        auto done = task.get_future();
        boost::asio::post(io_, [&task] { task(); });
        done.get();
    }
    [[nodiscard]] bool wait(std::chrono::milliseconds at_most,
                            const std::function<bool(const std::vector<EventLog::Entry>&)>& met) override {
        return events_.wait_until(EventLog::Clock::now() + at_most, met);
    }

  private:
    EventLog& events_;
    int base_port_;
    std::unique_ptr<network::ZmqContext> zmq_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
    std::thread thread_{[this] {
        try {
            io_.run();
        } catch (const std::exception& error) {
            // The most likely cause is a lack of memory. Without this exit, the waiting thread would wait
            // forever.
            std::fprintf(stderr, "unlearn-sim: the nodes' network ended: %s\n", error.what());
            std::_Exit(EXIT_FAILURE);
        }
    }};
};

}  // namespace

protocol::Result<std::unique_ptr<Fabric>> make_zmq_fabric(EventLog& events, int base_port) {
    auto zmq = network::ZmqContext::create();
    if (!zmq) return tl::unexpected(zmq.error());
    return std::make_unique<ZmqFabric>(events, base_port, std::move(*zmq));
}

}  // namespace unlearn::sim::run
