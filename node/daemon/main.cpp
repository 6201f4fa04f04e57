#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/signal_set.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "node/command_line/command_line.hpp"
#include "node/config/binding.hpp"
#include "node/daemon/control_api.hpp"
#include "node/daemon/node_service.hpp"
#include "node/daemon/startup_check.hpp"
#include "node/learning/memory.hpp"
#include "node/learning/product_turn.hpp"
#include "node/learning/threads.hpp"
#include "node/storage/identity_file.hpp"

// The process: command line, signals, systemd, exit codes. What a node does is in NodeService.
namespace {

using namespace unlearn;
using protocol::ErrorCode;
using protocol::EventKind;
using Clock = std::chrono::steady_clock;

enum ExitStatus { stopped = 0, failed = 1, wrong_input = 2, left_the_network = 6 };

/// How long a node still answers questions about its exit after the exit has ended.
constexpr std::chrono::seconds kAnswerAfterwards{3};

int complain(const protocol::Error& error) {
    if (error.code == ErrorCode::retired) {
        spdlog::error("this identity has left its network for ever: {}", error.detail);
        return left_the_network;
    }
    spdlog::error("{}", error.detail.empty() ? error.text() : error.detail);
    const bool users = error.code == ErrorCode::malformed || error.code == ErrorCode::bad_identity;
    return users ? wrong_input : failed;
}

/// Forgotten data must not come back from a core dump, and no other process of this user may read the memory.
void harden() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/// A shell's usual limit is as low as the number of connections that we accept. Strangers would use up the
/// descriptors that storage and the control socket need.
void raise_descriptor_limit() {
    constexpr rlim_t kWanted = 16384;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWanted) return;
    limit.rlim_cur = std::min(limit.rlim_max, kWanted);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void log_event(const protocol::Event& event) {
    const auto level =
        event.kind == EventKind::store_failed || event.kind == EventKind::store_impossible
            ? spdlog::level::err
        : event.kind == EventKind::peer_dropped || event.kind == EventKind::equivocation ||
                event.kind == EventKind::seed_refused || event.kind == EventKind::own_exit_met ||
                event.kind == EventKind::own_state_old || event.kind == EventKind::own_copy_met ||
                event.kind == EventKind::peer_unresolved || event.kind == EventKind::peer_copied ||
                event.kind == EventKind::store_refused || event.kind == EventKind::member_expelled ||
                event.kind == EventKind::network_key_disputed
            ? spdlog::level::warn
        : event.kind == EventKind::lease_renewed || event.kind == EventKind::peer_suspect
            ? spdlog::level::debug
            : spdlog::level::info;
    std::string line(name_of(event.kind));
    if (event.subject != protocol::NodeId{}) line += " " + event.subject.short_text();
    if (event.version != protocol::SeedVersion{})
        line += " version " + std::to_string(static_cast<std::uint64_t>(event.version));
    if (!event.detail.empty()) line += ": " + event.detail;
    spdlog::log(level, "{}", line);
}

/// Tells systemd that the network thread is alive, as often as systemd expects it.
class Watchdog {
  public:
    explicit Watchdog(asio::io_context& io) : timer_(io) {
        std::uint64_t microseconds = 0;
        if (::sd_watchdog_enabled(0, &microseconds) <= 0) return;
        interval_ = std::chrono::microseconds(microseconds / 3);
        tick();
    }

  private:
    void tick() {
        ::sd_notify(0, "WATCHDOG=1");
        timer_.expires_after(interval_);
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) tick();
        });
    }
    std::chrono::microseconds interval_{0};
    asio::steady_timer timer_;
};

/// Ends the process when it cannot end by itself, because a TorchScript module that computes for ever cannot
/// be interrupted. The state is closed before.
class StopDeadline {
  public:
    explicit StopDeadline(int status)
        : thread_([this, status] {
              std::unique_lock lock(mutex_);
              if (stopped_.wait_for(lock, kAtMost, [this] { return done_; })) return;
              spdlog::warn("the main model still computes after {} s: stopped without waiting for it",
                           kAtMost.count());
              spdlog::shutdown();
              std::_Exit(status);
          }) {}
    StopDeadline(const StopDeadline&) = delete;
    StopDeadline& operator=(const StopDeadline&) = delete;
    ~StopDeadline() {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
        }
        stopped_.notify_one();
        thread_.join();
    }

  private:
    static constexpr std::chrono::seconds kAtMost{20};
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool done_ = false;
    std::thread thread_;  ///< last, because it uses the others
};

struct Inputs {
    config::NodeConfig config;
    protocol::Identity identity;
    config::Binding binding;
};

protocol::Result<Inputs> read_inputs(const std::filesystem::path& file) {
    auto config = config::load_node_config(file);
    if (!config) return tl::unexpected(config.error());
    const auto as_input = [](protocol::Error error) {
        error.code = ErrorCode::malformed;
        return tl::unexpected(std::move(error));
    };
    auto identity = storage::load_identity(config->data_dir / "identity");
    if (!identity) return as_input(identity.error());
    auto binding = config::load_binding(config->data_dir / "binding.json");
    if (!binding) return as_input(binding.error());
    return Inputs{std::move(*config), std::move(*identity), std::move(*binding)};
}

int run(const Inputs& inputs, bool only_check) {
    if (only_check) {
        if (const auto good = daemon::check_startup(inputs.config, inputs.identity, inputs.binding); !good)
            return complain(good.error());
        std::printf("%s: good\n", inputs.config.file.c_str());
        return stopped;
    }
    if (const auto kept = daemon::check_state_is_kept(inputs.config); !kept) return complain(kept.error());
    asio::io_context io;
    auto zmq = network::ZmqContext::create();
    if (!zmq) return complain(zmq.error());
    auto api = daemon::ControlApi::create(io, inputs.config.control_socket);
    if (!api) return complain(api.error());

    int status = stopped;
    const daemon::NodeService* running = nullptr;
    asio::steady_timer last_answers(io);
    const auto on_event = [&](const protocol::Event& event) {
        log_event(event);
        (*api)->tell(event);
        if (event.kind == EventKind::store_impossible) {
            spdlog::error("stopping: without this record the node could not keep its promises");
            status = failed;
            io.stop();
        }
        if (event.kind != EventKind::retired) return;
        ::sd_notify(0, "STATUS=has left the network");
        // Somebody else ended this identity, so whoever started it has to know.
        const bool met = running != nullptr && running->node().engine().own_exit().met;
        status = met ? left_the_network : stopped;
        last_answers.expires_after(kAnswerAfterwards);
        last_answers.async_wait([&](const boost::system::error_code& error) {
            if (!error) io.stop();
        });
    };
    auto service =
        daemon::NodeService::create(io, **zmq, {inputs.config, inputs.identity, inputs.binding, on_event});
    if (!service) return complain(service.error());
    running = service->get();
    (*api)->serve(service->get());
    if (auto started = (*service)->start(); !started) return complain(started.error());

    boost::asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](const boost::system::error_code& error, int) {
        if (!error) io.stop();
    });
    const auto endpoint = (*service)->node().endpoint();
    spdlog::info("node {} of network {} is up, {}", inputs.identity.id().text(),
                 protocol::to_hex(inputs.binding.network.view()).substr(0, 16),
                 endpoint ? "listening on " + *endpoint : "dialling only");
    if (const auto kernels = learning::better_blas_kernels())
        spdlog::warn(
            "OpenBLAS does not know this processor: OPENBLAS_CORETYPE={} makes learning about twice as fast",
            *kernels);
    ::sd_notify(0, "READY=1\nSTATUS=up");
    const Watchdog watchdog(io);
    io.run();

    ::sd_notify(0, "STOPPING=1");
    (*service)->stop();
    api->reset();
    (*service)->close();
    const StopDeadline deadline(status);
    service->reset();
    spdlog::info("stopped");
    return status;
}

/// The whole program. Exceptions that leave it come from libraries.
int unlearnd(int argc, char** argv) {
    harden();
    raise_descriptor_limit();
    learning::keep_memory_low();
    std::signal(SIGPIPE, SIG_IGN);
    std::string file = "/etc/unlearnd/node.toml";
    bool only_check = false;
    CLI::App app{"A node of a learning network that can forget", "unlearnd"};
    app.set_version_flag("--version", "unlearnd " UNLEARN_VERSION);
    app.add_option("--config", file, "configuration, see: unlearnctl init")->capture_default_str();
    app.add_flag("--check", only_check,
                 "find what would stop the start or leave the node without a model, say so, and end");
    if (const auto code = command_line::parse(app, {argv + 1, argv + argc}, std::cout, std::cerr))
        return *code;
    spdlog::set_default_logger(spdlog::stderr_color_mt("unlearnd"));
    // Leave the time out: the journal has its own clock, and a check ends at once.
    const bool untimed = only_check || (::sd_booted() > 0 && std::getenv("JOURNAL_STREAM") != nullptr);
    spdlog::set_pattern(untimed ? "%^%l%$: %v" : "%Y-%m-%d %T.%e %^%l%$: %v");
    const auto inputs = read_inputs(file);
    if (!inputs) return complain(inputs.error());
    spdlog::set_level(spdlog::level::from_str(inputs->config.log_level));
    if (!learning::fix_thread_counts(1))
        return complain({ErrorCode::internal, "threads of LibTorch are fixed already"});
    learning::let_products_take_turns(true);
    return run(*inputs, only_check);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return unlearnd(argc, argv);
    } catch (const std::exception& error) {
        const std::string text = error.what();
        std::fprintf(stderr, "unlearnd: %s\n", text.substr(0, text.find('\n')).c_str());
        return failed;
    }
}
