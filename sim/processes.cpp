#include "sim/processes.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <thread>

#include <ATen/ops/from_blob.h>

#include "node/ctl/control_client.hpp"
#include "node/learning/training.hpp"
#include "protocol/digest.hpp"
#include "sim/daemon_events.hpp"
#include "sim/daemon_metrics.hpp"
#include "sim/daemon_process.hpp"
#include "sim/data_files.hpp"
#include "sim/result.hpp"

namespace unlearn::sim {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{100};
/// Until a daemon that was started answers at all; many on few cores take their time to load LibTorch.
constexpr std::chrono::seconds kFirstAnswer{300};
/// Between a daemon's decision to end and its end; a leaver still answers questions for some seconds.
constexpr std::chrono::seconds kLastWords{20};
/// A request has so many rows; those of images are some hundred kilobytes.
constexpr std::int64_t kRowsInRequest = 256;
/// Where a daemon keeps its main model in its data folder: a fingerprint, then safetensors.
constexpr const char* kModelFile = "main-model";

tl::unexpected<std::string> fail(std::string line) {
    return tl::unexpected<std::string>(std::move(line));
}

std::vector<float> to_floats(const at::Tensor& tensor) {
    const auto* values = tensor.data_ptr<float>();
    return {values, values + tensor.numel()};
}

/// Rows of the test set as they stand in data files.
json request_body(const learning::Dataset& test, DataSettings::Kind kind, std::int64_t first,
                  std::int64_t rows) {
    const auto width = test.shape().size();
    const float* values = test.inputs().data_ptr<float>() + first * width;
    json inputs = json::array();
    for (std::int64_t row = 0; row < rows; ++row) {
        json numbers = json::array();
        for (std::int64_t i = 0; i < width; ++i) {
            const float value = raw_value(kind, values[row * width + i]);
            // Whole numbers are the shorter text.
            numbers.push_back(kind == DataSettings::Kind::kIdx ? json(static_cast<int>(value)) : json(value));
        }
        inputs.push_back(std::move(numbers));
    }
    return {{"inputs", std::move(inputs)}};
}

}  // namespace

struct Processes::Member {
    const NodeSetup* setup;
    DaemonFiles files;
    ctl::ControlClient client{files.socket};
    std::optional<DaemonProcess> process{};
    std::thread events{};
    bool answers = false;
    bool learnt = false;
    bool exited = false;
    bool ends_by_itself = false;                ///< as every node does whose exit is complete
    at::Tensor main_logits{};                   ///< of the main model alone, for the test set
    std::vector<network::TrafficCount> sent{};  ///< of a leaver, which cannot be asked later
};

Processes::Processes(const Scenario& scenario, const Setup& setup, FleetFiles files,
                     const std::filesystem::path& folder, Progress& progress)
    : scenario_(scenario),
      setup_(setup),
      progress_(progress),
      events_(folder / "events.jsonl"),
      workers_(scenario.run.threads) {
    auto inputs = to_floats(setup.test.inputs());
    files.scaling.apply_to_loaded(inputs);
    test_inputs_ = learning::inputs_of(inputs, setup.test.shape());
    for (std::size_t i = 0; i < setup.nodes.size(); ++i) {
        const NodeSetup& node = setup.nodes[i];
        members_.push_back(std::make_unique<Member>(Member{&node, std::move(files.nodes[i])}));
        events_.name(node.identity.id(), node.name);
    }
}

Processes::~Processes() {
    for (auto& member : members_)
        member->process.reset();
    join_events();
}

void Processes::join_events() {
    for (auto& member : members_)
        if (member->events.joinable()) member->events.join();
}

std::string Processes::failure(Member& member, const std::string& what) {
    // Who does not answer is often about to end.
    const auto code = member.process->wait(std::chrono::seconds(1));
    if (!code) return member.setup->name + ": " + what;
    return member.setup->name + ": unlearnd ended with exit code " + std::to_string(*code) + ": " +
           member.process->last_words();
}

std::optional<std::string> Processes::first_ended() {
    for (auto& member : members_)
        if (!member->exited && member->process->exit_code()) return failure(*member, "ended");
    return std::nullopt;
}

void Processes::follow_events(Member& member) {
    member.events = std::thread([this, &member] {
        // Ends with the daemon.
        static_cast<void>(member.client.stream("/v1/events", [&](std::string_view line) {
            if (const auto event = read_daemon_event(line))
                events_.add(member.setup->name, event->event, event->at);
            return true;
        }));
    });
}

tl::expected<bool, std::string> Processes::has_learnt(Member& member) {
    if (!member.answers) {
        if (!member.client.get("/healthz")) return false;
        member.answers = true;
        follow_events(member);
    }
    const auto status = member.client.get("/v1/status");
    if (!status) return false;  // still starting, or about to end
    const json model = status->value("model", json::object());
    if (model.contains("problem") && model["problem"].is_string())
        return fail(failure(member, model["problem"].get<std::string>()));
    return status->value("state", "") == "running";
}

tl::expected<void, std::string> Processes::start(const std::filesystem::path& program) {
    auto phase = progress_.start("train", members_.size());
    for (auto& member : members_) {
        auto process = DaemonProcess::start(program, member->files.config, member->files.log);
        if (!process) return fail(member->setup->name + ": " + process.error());
        member->process.emplace(std::move(*process));
    }
    const auto deadline = Clock::now() + kFirstAnswer;
    for (std::size_t learnt = 0; learnt < members_.size(); std::this_thread::sleep_for(kLook)) {
        if (auto ended = first_ended()) return fail(*ended);
        for (auto& member : members_) {
            if (member->learnt) continue;
            const auto done = has_learnt(*member);
            if (!done) return fail(done.error());
            if (!member->answers && Clock::now() > deadline)
                return fail(failure(*member, "unlearnd does not answer at " + member->files.socket.string()));
            if (!*done) continue;
            member->learnt = true;
            ++learnt;
            phase.advance();
        }
    }
    return {};
}

/// Of its neighbours': in use, or looked at and held aside for good reason.
tl::expected<std::size_t, std::string> Processes::settled_seeds(Member& member) {
    const auto status = member.client.get("/v1/status");
    if (!status) return fail(failure(member, status.error().message));
    std::size_t settled = 0;
    for (const auto& seed : status->value("seeds", json::array())) {
        const std::string state = seed.value("state", "");
        if (state == "in-use" || state == "held-aside") ++settled;
    }
    return settled;
}

tl::expected<void, std::string> Processes::exchange() {
    std::size_t expected = 0;
    for (const auto& member : members_)
        expected += member->setup->neighbours.size();
    auto phase = progress_.start("exchange", expected);
    const auto deadline = Clock::now() + scenario_.network.exchange_timeout;
    for (std::size_t shown = 0;;) {
        if (auto ended = first_ended()) return fail(*ended);
        std::size_t settled = 0;
        for (auto& member : members_) {
            const auto seeds = settled_seeds(*member);
            if (!seeds) return fail(seeds.error());
            settled += *seeds;
        }
        if (settled > shown) phase.advance(settled - shown);
        shown = std::max(shown, settled);
        if (settled == expected) return {};
        if (Clock::now() > deadline)
            return fail("exchange: " + std::to_string(settled) + " of " + std::to_string(expected) +
                        " seeds arrived in " + std::to_string(scenario_.network.exchange_timeout.count()) +
                        " s");
        std::optional<std::string> refusal;
        static_cast<void>(
            events_.wait_until(Clock::now() + kLook, [&](const std::vector<EventLog::Entry>& entries) {
                refusal = first_refusal(entries);
                return refusal.has_value();
            }));
        if (refusal) return fail(*refusal);
    }
}

std::optional<std::string> Processes::load_main(Member& member) {
    const auto file = member.files.data_dir / kModelFile;
    std::ifstream in(file, std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.size() <= protocol::Digest::kSize) return file.string() + ": holds no model";
    const auto main = learning::MainModel::restore(member.setup->main_architecture, setup_.test.shape(),
                                                   setup_.test.classes(),
                                                   std::span(bytes).subspan(protocol::Digest::kSize));
    if (!main) return file.string() + ": " + main.error().message;
    member.main_logits = learning::predict_logits(main->model(), test_inputs_);
    return std::nullopt;
}

/// The ensemble's predictions for the whole test set.
std::optional<std::string> Processes::predict(Member& member, Evaluation& out) {
    const auto& test = setup_.test;
    std::vector<float> own;
    std::vector<float> uniform;
    for (std::int64_t first = 0; first < test.size(); first += kRowsInRequest) {
        const auto rows = std::min(kRowsInRequest, test.size() - first);
        const json body = request_body(test, scenario_.data.kind, first, rows);
        for (const auto& [prior, all] : {std::pair("own", &own), std::pair("uniform", &uniform)}) {
            const auto answer = member.client.post(std::string("/v1/predict?prior=") + prior, body);
            if (!answer) return failure(member, "prediction: " + answer.error().message);
            for (const auto& row : answer->at("probabilities"))
                for (const auto& value : row)
                    all->push_back(value.get<float>());
            for (const auto& participant : answer->at("participants"))
                if (has_exited(participant.at("owner")))
                    return member.setup->name + ": still predicts with the seed of " +
                           name_of(participant.at("owner")) + ", which has left";
            out.rho = answer->at("rho");
        }
    }
    const auto expected = static_cast<std::size_t>(test.size() * test.classes());
    if (own.size() != expected || uniform.size() != expected)
        return member.setup->name + ": prediction: an answer has another size than the request";
    const auto tensor = [&](std::vector<float>& values) {
        return at::from_blob(values.data(), {test.size(), test.classes()}, at::kFloat).clone();
    };
    out.own_prior = tensor(own);
    out.uniform_prior = tensor(uniform);
    return std::nullopt;
}

tl::expected<std::vector<Evaluation>, std::string> Processes::evaluate() {
    std::vector<Member*> present;
    for (auto& member : members_)
        if (!member->exited) present.push_back(member.get());
    auto phase = progress_.start("score", present.size());
    std::vector<Evaluation> evaluations(present.size());
    const auto error = workers_.for_each(present.size(), [&](std::size_t i) -> std::optional<std::string> {
        Member& member = *present[i];
        evaluations[i].name = member.setup->name;
        if (!member.main_logits.defined())
            if (auto problem = load_main(member)) return problem;
        if (auto problem = predict(member, evaluations[i])) return problem;
        evaluations[i].score(member.main_logits, setup_.test, member.setup->own);
        phase.advance();
        return std::nullopt;
    });
    if (error) return fail(*error);
    return evaluations;
}

std::string Processes::name_of(const std::string& id) const {
    for (const auto& node : setup_.nodes)
        if (node.identity.id().text() == id) return node.name;
    return "unknown";
}

bool Processes::has_exited(const std::string& id) const {
    return std::any_of(members_.begin(), members_.end(), [&](const auto& member) {
        return member->exited && member->setup->identity.id().text() == id;
    });
}

tl::expected<ExitOutcome, std::string> Processes::exit(const std::string& name) {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const auto& member) { return member->setup->name == name; });
    if (found == members_.end()) return fail("exit: there is no node " + name);
    Member& member = **found;
    auto phase = progress_.start("exit of " + name, 0);
    const auto patience = scenario_.network.exit_timeout;
    const auto begun = member.client.post("/v1/exit", json::object());
    if (!begun) return fail(failure(member, begun.error().message));
    // Not an error when the time is over: who did not answer in time is named as missing.
    const auto progress = member.client.get("/v1/exit?wait_s=" + std::to_string(patience.count()),
                                            patience + ctl::ControlClient::kTimeout);
    if (!progress) return fail(failure(member, progress.error().message));
    auto certificate = member.client.get("/v1/certificate");
    if (!certificate) return fail(failure(member, certificate.error().message));
    auto sent = ask_traffic(member.files.socket);
    if (!sent) return fail(failure(member, sent.error()));
    member.sent = std::move(*sent);
    member.exited = true;
    member.ends_by_itself = progress->value("complete", false);
    if (!member.ends_by_itself) member.process->ask_to_stop();

    // The events come over a connection of their own, and a moment later perhaps.
    static_cast<void>(events_.wait_until(
        Clock::now() + (member.ends_by_itself ? kLastWords : std::chrono::seconds(0)),
        [&](const std::vector<EventLog::Entry>& entries) {
            return std::any_of(entries.begin(), entries.end(), [&](const EventLog::Entry& entry) {
                return entry.node == name && entry.event.kind == protocol::EventKind::exit_complete;
            });
        }));
    const auto answered = events_.receipt_milliseconds(name);
    ExitOutcome outcome;
    outcome.node = name;
    outcome.certificate = std::move(*certificate);
    for (const auto& holder : progress->value("holders", json::array())) {
        const std::string holder_name = name_of(holder.value("node", ""));
        outcome.holders.push_back(holder_name);
        const auto receipt = answered.find(holder_name);
        if (holder.value("status", "missing") == "missing" || receipt == answered.end())
            outcome.missing.push_back(holder_name);
        else
            outcome.milliseconds.emplace_back(holder_name, receipt->second);
    }
    return outcome;
}

std::vector<NodeFacts> Processes::facts() const {
    const auto parameters = [&](const learning::Architecture& architecture) {
        return learning::parameter_count(architecture, setup_.test.shape(), setup_.test.classes())
            .value_or(0);
    };
    auto out = facts_of(setup_);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].main_parameters = parameters(setup_.nodes[i].main_architecture);
        out[i].seed_parameters = parameters(setup_.nodes[i].seed_architecture);
    }
    return out;
}

tl::expected<json, std::string> Processes::traffic() {
    std::vector<network::TrafficCount> all(network::TrafficCounters::kKinds);
    std::uint64_t raw_seed_bytes = 0;
    for (const auto& node : facts())
        raw_seed_bytes +=
            static_cast<std::uint64_t>(node.seed_parameters) * sizeof(float) * node.neighbours.size();
    for (auto& member : members_) {
        auto sent = member->sent;
        if (!member->exited) {
            auto asked = ask_traffic(member->files.socket);
            if (!asked) return fail(failure(*member, asked.error()));
            sent = std::move(*asked);
        }
        for (std::size_t kind = 0; kind < all.size(); ++kind) {
            all[kind].messages += sent[kind].messages;
            all[kind].bytes += sent[kind].bytes;
        }
    }
    return traffic_json(all, std::nullopt, raw_seed_bytes);
}

tl::expected<void, std::string> Processes::stop() {
    auto phase = progress_.start("stop", members_.size());
    for (auto& member : members_)
        if (!member->ends_by_itself) member->process->ask_to_stop();
    for (auto& member : members_) {
        const auto code = member->process->wait(kLastWords);
        if (!code) return fail(member->setup->name + ": unlearnd does not end");
        if (*code != 0) return fail(failure(*member, "ended"));
        phase.advance();
    }
    join_events();
    return {};
}

}  // namespace unlearn::sim
