#include "node/daemon/node_service.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <mutex>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/data/columns.hpp"
#include "node/learning/failure.hpp"
#include "node/network/zmq_transport.hpp"
#include "node/runtime/certificate.hpp"
#include "node/storage/files.hpp"
#include "protocol/digest.hpp"

namespace unlearn::daemon {
namespace {

using protocol::Digest;
using protocol::ErrorCode;
using protocol::EventKind;
using protocol::fail;
using protocol::NodeId;
using protocol::Result;
using protocol::SeedVersion;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kWatchInterval{2};
/// Learning yields to the network and to predictions.
constexpr int kTrainingNiceness = 10;
/// How often a prediction is computed when owners of seeds that took part leave meanwhile.
constexpr int kPredictionTries = 5;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Makes learning yield to the rest of the node. A filter of system calls may forbid that.
void lower_priority_of_training() {
    if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kTrainingNiceness) == 0) return;
    static std::once_flag told;
    std::call_once(told, [problem = errno] {
        spdlog::warn("training cannot lower its priority ({}), so it competes with the rest of the node",
                     std::strerror(problem));
    });
}

/// Returns the seed of this node's random streams, which no other node can guess.
std::uint64_t stream_seed_of(const protocol::Identity& identity) {
    constexpr std::string_view kPurpose = "unlearnd streams 1";
    auto secret = identity.secret_seed();
    protocol::Bytes bytes(kPurpose.begin(), kPurpose.end());
    bytes.insert(bytes.end(), secret.begin(), secret.end());
    const auto digest = protocol::digest_of(bytes);
    protocol::wipe_memory(bytes.data(), bytes.size());
    protocol::wipe_memory(secret.data(), secret.size());
    std::uint64_t seed = 0;
    for (std::size_t i = 0; i < sizeof(seed); ++i)
        seed = (seed << 8) | digest.value[i];
    return seed;
}

runtime::NodeOptions node_options(const NodeService::Setup& setup) {
    runtime::NodeOptions options;
    options.directory = setup.config.data_dir / "state";
    options.log_entries = setup.config.log_entries;
    options.engine.network = setup.binding.network;
    options.engine.neighbours = setup.config.peers;
    options.engine.reachable = setup.config.listen.has_value();
    options.engine.network_key = setup.config.network_key;
    options.engine.wire.oldest = setup.config.min_wire;
    options.engine.membership = setup.binding.membership;
    options.engine.members = setup.config.members;
    options.engine.seed_room = setup.config.held_seeds.room();
    return options;
}

Result<PredictionAnswer> compute(const learning::EnsembleHolder& ensemble, const PredictionRequest& request,
                                 const learning::InputShape& shape) {
    try {
        auto prediction = ensemble.predict(learning::inputs_of(request.features, shape), request.prior);
        if (!prediction) return fail(ErrorCode::internal, prediction.error().message);
        PredictionAnswer answer;
        answer.probabilities = learning::to_vector(prediction->probabilities);
        answer.labels = learning::likeliest_classes(answer.probabilities, ensemble.own()->classes());
        answer.participants = std::move(prediction->participants);
        answer.rho = ensemble.snapshot()->rho();
        return answer;
    } catch (const std::exception& error) {  // the user's own TorchScript, or out of memory
        return fail(ErrorCode::internal, "the main model failed: " + learning::cause_of(error));
    }
}

/// Puts the numbers of each row into the order in which the model sees them, when the request names columns.
Result<void> order_columns(PredictionRequest& request, const std::vector<std::string>& wanted) {
    if (request.columns.empty()) return {};
    if (wanted.empty())
        return fail(ErrorCode::malformed, "columns: the examples of this network have no named columns");
    const auto places = learning::match_columns({wanted, "the network"}, request.columns);
    if (!places) return fail(ErrorCode::malformed, "columns: the request " + places.error().message);
    const std::size_t width = request.columns.size();
    if (request.features.size() != request.rows * width)
        return fail(ErrorCode::malformed,
                    "each row must have a number for each of the " + std::to_string(width) + " columns");
    std::vector<float> ordered;
    ordered.reserve(request.rows * places->size());
    for (std::size_t row = 0; row < request.rows; ++row)
        for (const std::size_t place : *places)
            ordered.push_back(request.features[row * width + place]);
    request.features = std::move(ordered);
    return {};
}

/// Reads what is asked for, and brings it into the form in which the model sees it: [rows, width], scaled.
Result<PredictionRequest> prepare(const std::function<Result<PredictionRequest>()>& read,
                                  const std::vector<std::string>& columns, const config::Scaling& scaling,
                                  std::size_t width) try {
    auto request = read();
    if (!request) return request;
    if (auto ordered = order_columns(*request, columns); !ordered) return tl::unexpected(ordered.error());
    if (request->rows == 0 || request->features.size() != request->rows * width)
        return fail(ErrorCode::malformed, "each row must have " + std::to_string(width) + " numbers");
    scaling.apply_to_raw(request->features);
    return request;
} catch (const std::exception& error) {  // most likely out of memory
    return fail(ErrorCode::internal, std::string("the request cannot be read: ") + error.what());
}

std::uint64_t version_of(const runtime::Node& node) {
    const auto seed = node.engine().own_seed();
    return seed ? static_cast<std::uint64_t>(seed->version) : 0;
}

}  // namespace

std::string_view name_of(ServiceState state) {
    switch (state) {
        case ServiceState::starting:
            return "starting";
        case ServiceState::training:
            return "training";
        case ServiceState::no_model:
            return "no-model";
        case ServiceState::running:
            return "running";
        case ServiceState::exiting:
            return "exiting";
        case ServiceState::retired:
            return "retired";
    }
    return "unknown";
}

Result<std::unique_ptr<NodeService>> NodeService::create(asio::io_context& io, network::ZmqContext& zmq,
                                                         Setup setup) {
    for (const auto& peer : setup.config.peers)
        if (peer.id == setup.identity.id())
            return fail(ErrorCode::malformed, setup.config.file.string() + ": peers: " +
                                                  peer.id.short_text() + " is this node itself");
    std::unique_ptr<NodeService> service(new NodeService(io, std::move(setup)));
    auto transport = std::make_unique<network::ZmqTransport>(io, zmq, service->setup_.identity,
                                                             service->setup_.config.listen);
    auto node = runtime::Node::create(
        io, service->setup_.identity, node_options(service->setup_), std::move(transport),
        service->late_seeds_, [alive = service->alive_](const protocol::Event& event, Clock::time_point) {
            if (*alive != nullptr) (*alive)->on_event(event);
        });
    if (!node) return tl::unexpected(node.error());
    service->node_ = std::move(*node);
    return service;
}

NodeService::NodeService(asio::io_context& io, Setup setup)
    : io_(io),
      setup_(std::move(setup)),
      learner_(setup_.config, setup_.binding.network, stream_seed_of(setup_.identity), &cancelled_),
      alive_(std::make_shared<NodeService*>(this)),
      watch_timer_(io) {}

NodeService::~NodeService() {
    close();
    training_.join();
    predictions_.join();
    checks_.join();
}

Result<void> NodeService::start() {
    Job job;
    const bool leaving = node_->engine().own_exit().begun;
    if (!leaving) {
        trained_stamp_ = last_stamp_ = learner_.data_stamp();
        auto data = learner_.load();
        if (!data) return fail(ErrorCode::malformed, data.error().message);
        for (const std::string& warning : data->warnings)
            spdlog::warn("{}", warning);
        columns_ = data->reference.columns;
        job.data = std::move(*data);
    }
    node_->start();
    started_ = true;
    if (leaving) return {};
    begin_job(std::move(job));
    if (setup_.config.data.watch) watch_data();
    return {};
}

void NodeService::close() {
    stop();
    *alive_ = nullptr;
    node_.reset();
}

void NodeService::stop() {
    cancelled_ = true;
    started_ = false;
    watch_timer_.cancel();
    if (node_) node_->stop();
}

ServiceState NodeService::state() const {
    if (retired_) return ServiceState::retired;
    if (!started_) return ServiceState::starting;
    if (node_->engine().own_exit().begun) return ServiceState::exiting;
    if (live_) return ServiceState::running;
    return training_problem_ && jobs_ == 0 ? ServiceState::no_model : ServiceState::training;
}

std::optional<ModelSummary> NodeService::model() const {
    auto summary = model_;
    if (summary) summary->rho = live_->ensemble.snapshot()->rho();
    return summary;
}

void NodeService::publish(Done done) {
    if (!started_ || node_->engine().own_exit().begun) return done("this node is leaving the network");
    Job job;
    job.publish_always = true;
    job.done = std::move(done);
    begin_job(std::move(job));
}

void NodeService::begin_job(Job job) {
    ++jobs_;
    job.has_seed = node_->engine().own_seed().has_value();
    trained_stamp_ = learner_.data_stamp();
    // The job is shared, because std::function requires that what it holds can be copied.
    auto shared = std::make_shared<Job>(std::move(job));
    boost::asio::post(training_, [this, shared] { run_job(std::move(*shared)); });
}

void NodeService::on_node_thread(std::function<void(NodeService&)> function) {
    boost::asio::post(io_, [alive = alive_, function = std::move(function)] {
        if (*alive != nullptr) function(**alive);
    });
}

void NodeService::run_job(Job job) {
    lower_priority_of_training();
    const auto begun = Clock::now();
    const auto end = [&](std::optional<std::string> problem) {
        on_node_thread([done = job.done, problem = std::move(problem), seconds = seconds_since(begun)](
                           NodeService& self) { self.end_job(done, problem, seconds); });
    };
    try {
        learn(job, end);
    } catch (const std::exception& error) {  // the user's own TorchScript, or out of memory
        end(learning::cause_of(error));
    }
}

void NodeService::learn(Job& job, const std::function<void(std::optional<std::string>)>& end) {
    if (!job.data) {
        auto data = learner_.load();
        if (!data) return end(data.error().message);
        job.data = std::move(*data);
    }
    auto learnt = learner_.learn(std::move(*job.data));
    if (!learnt) return end(learnt.error().message);
    if (!trained_live_) {
        trained_live_ = std::make_shared<Live>(learnt->own, setup_.config.ensemble, checks_);
    } else {
        trained_live_->seeds.replace_own(
            learnt->own, [this](const NodeId& owner, SeedVersion version, std::optional<std::string> aside) {
                on_node_thread([owner, version, aside = std::move(aside)](NodeService& self) {
                    self.node_->judged(owner, version, aside);
                });
            });
    }
    on_node_thread(
        [live = trained_live_, learnt = *learnt](NodeService& self) { self.take_over(live, learnt); });
    if (!job.publish_always && job.has_seed && learner_.is_published(learnt->seed_fingerprint))
        return end(std::nullopt);
    auto payload = learner_.distil(*learnt);
    if (!payload) return end(payload.error().message);
    on_node_thread([payload = std::move(*payload), fingerprint = learnt->seed_fingerprint,
                    done = job.done](NodeService& self) { self.publish_seed(payload, fingerprint, done); });
    job.done = nullptr;
    end(std::nullopt);
}

void NodeService::end_job(const Done& done, std::optional<std::string> problem, double seconds) {
    --jobs_;
    ++counters_.trainings;
    counters_.last_training_seconds = seconds;
    if (problem && !cancelled_) {
        ++counters_.trainings_failed;
        spdlog::error("learning failed, {}: {}", live_ ? "the old model stays" : "there is no model yet",
                      *problem);
    }
    training_problem_ = problem;
    if (done) done(std::move(problem));
}

void NodeService::take_over(std::shared_ptr<Live> live, const Learnt& learnt) {
    const bool first = live_ == nullptr;
    live_ = std::move(live);
    scaling_ = learnt.scaling;
    model_ = ModelSummary{learnt.training_examples, learnt.validation_accuracy, 0.0};
    spdlog::info("main model {} in use: {} training examples, accuracy {:.3f} on validation data",
                 setup_.config.model.main_name(), learnt.training_examples, learnt.validation_accuracy);
    if (first) late_seeds_.ready(live_->seeds);
}

void NodeService::publish_seed(protocol::SharedSeedBytes payload, const Digest& fingerprint, Done done) {
    if (!started_ || node_->engine().own_exit().begun) {
        if (done) done("this node is leaving the network");
        return;
    }
    publishing_.push_back({version_of(*node_), fingerprint, std::move(done)});
    node_->publish(setup_.config.model.seed.text(), std::move(payload));
}

void NodeService::finish_publishing(SeedVersion version) {
    const auto number = static_cast<std::uint64_t>(version);
    for (auto& waiting : std::exchange(publishing_, {})) {
        if (number <= waiting.after) {
            publishing_.push_back(std::move(waiting));
            continue;
        }
        boost::asio::post(training_, [this, fingerprint = waiting.fingerprint] {
            // If this fails, the same seed is published once more after a restart.
            try {
                if (auto stored = learner_.remember_published(fingerprint); !stored)
                    spdlog::warn("{}", stored.error().message);
            } catch (const std::exception& error) {
                spdlog::warn("{}", error.what());
            }
        });
        if (waiting.done) waiting.done(std::nullopt);
    }
}

/// The seed is published as soon as it can be stored, so no caller needs to wait for that.
void NodeService::tell_that_storage_fails(const std::string& detail) {
    for (auto& waiting : publishing_)
        if (auto done = std::exchange(waiting.done, nullptr))
            done("the new seed cannot be stored yet, and is published as soon as it can: " + detail);
}

void NodeService::refuse_publishing(const std::string& detail) {
    for (auto& waiting : std::exchange(publishing_, {}))
        if (waiting.done) waiting.done("the new seed cannot be published: " + detail);
}

void NodeService::note_peer(const protocol::Event& event) {
    if (event.kind == EventKind::peer_up) peer_problems_.erase(event.subject);
    const bool is_problem = event.kind == EventKind::peer_dropped || event.kind == EventKind::peer_unresolved;
    // Only peers have sessions and addresses; a stranger that was dropped has no id here.
    if (is_problem && event.subject != NodeId{}) peer_problems_[event.subject] = event.detail;
}

std::optional<std::string> NodeService::problem_with(const NodeId& peer) const {
    const auto found = peer_problems_.find(peer);
    if (found == peer_problems_.end()) return std::nullopt;
    return found->second;
}

void NodeService::on_event(const protocol::Event& event) {
    note_peer(event);
    setup_.events(event);
    if (event.kind == EventKind::seed_published) finish_publishing(event.version);
    if (event.kind == EventKind::store_failed) tell_that_storage_fails(event.detail);
    if (event.kind == EventKind::seed_refused && event.subject == setup_.identity.id())
        refuse_publishing(event.detail);
    if (event.kind == EventKind::retired) retired_ = true;
    if (event.kind == EventKind::exit_complete || event.kind == EventKind::retired ||
        (event.kind == EventKind::receipt_stored && certificate_begun_))
        write_certificate();
}

void NodeService::begin_exit() {
    node_->begin_exit();
}

void NodeService::give_up_exit() {
    node_->give_up_exit();
    write_certificate();
}

/// Writes the certificate before the identity is retired, because it could not be made afterwards. Writes it
/// again for receipts that come while the node still answers.
void NodeService::write_certificate() {
    if (!node_) return;
    const auto exit = node_->engine().own_exit();
    if (!exit.complete && !exit.given_up && !retired_) return;
    certificate_begun_ = true;
    const auto text = runtime::make_certificate(setup_.identity.id(), network(), exit).dump(2) + "\n";
    const protocol::ByteView bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (auto written = storage::replace_file(setup_.config.data_dir / "certificate.json", bytes); !written)
        spdlog::error("{}", written.error().detail);
}

std::string NodeService::why_no_model() const {
    if (node_->engine().own_exit().begun) return "this node is leaving and has no model loaded";
    if (state() == ServiceState::no_model) return "this node has no main model: " + *training_problem_;
    return "the main model is still being trained";
}

void NodeService::predict(std::function<Result<PredictionRequest>()> read, Render render) {
    if (!live_) return render(fail(ErrorCode::internal, why_no_model()))();
    boost::asio::post(predictions_, [this, live = live_, columns = columns_, scaling = scaling_,
                                     read = std::move(read), render = std::move(render)]() mutable {
        const auto width = static_cast<std::size_t>(live->ensemble.own()->shape().size());
        auto request = prepare(read, columns, scaling, width);
        if (!request) return render(tl::unexpected(request.error()))();
        answer_prediction(std::make_shared<Prediction>(
            Prediction{std::move(live), std::move(*request), std::move(render), 0}));
    });
}

void NodeService::answer_prediction(const std::shared_ptr<Prediction>& wanted) {
    const auto begun = Clock::now();
    const auto& ensemble = wanted->live->ensemble;
    const auto answer = compute(ensemble, wanted->request, ensemble.own()->shape());
    wipe_computing_stack();
    const auto participants = answer ? answer->participants : std::vector<learning::Participant>{};
    on_node_thread([wanted, failed = !answer, participants, send = wanted->render(answer),
                    seconds = seconds_since(begun)](NodeService& self) {
        ++self.counters_.predictions;
        if (failed) ++self.counters_.predictions_failed;
        self.counters_.prediction_seconds += seconds;
        if (self.holds_all(participants)) return send();
        if (++wanted->tries < kPredictionTries)
            return boost::asio::post(self.predictions_,
                                     [service = &self, wanted] { service->answer_prediction(wanted); });
        wanted->render(fail(ErrorCode::internal, "owners of seeds that took part keep leaving; ask again"))();
    });
}

bool NodeService::holds_all(const std::vector<learning::Participant>& participants) const {
    const auto held = node_->engine().held_seeds();
    return std::all_of(participants.begin(), participants.end(), [&](const learning::Participant& one) {
        return std::any_of(held.begin(), held.end(), [&](const protocol::HeldSeedStatus& seed) {
            return std::ranges::equal(seed.owner.view(), one.id);
        });
    });
}

/// Learns again only after two checks that agree, so that a file that is still being written is left alone.
void NodeService::watch_data() {
    watch_timer_.expires_after(kWatchInterval);
    watch_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || !started_) return;
        const auto stamp = learner_.data_stamp();
        const bool settled = stamp == std::exchange(last_stamp_, stamp);
        if (settled && stamp != trained_stamp_ && jobs_ == 0 && !node_->engine().own_exit().begun) {
            spdlog::info("the data changed: learning again");
            begin_job({});
        }
        watch_data();
    });
}

}  // namespace unlearn::daemon
