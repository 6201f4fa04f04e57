#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "node/config/binding.hpp"
#include "node/config/node_config.hpp"
#include "node/daemon/ensemble_seeds.hpp"
#include "node/daemon/late_seeds.hpp"
#include "node/daemon/learner.hpp"
#include "node/daemon/prediction_request.hpp"
#include "node/network/zmq_context.hpp"
#include "node/runtime/node.hpp"

/// A node of `unlearnd`: protocol, storage, sockets and learning together, without the process and the
/// control API.
namespace unlearn::daemon {

/// The state of a node. `training`: on the network already, but without a main model yet. `no_model`: making
/// the main model failed, and `training_problem` says why. `retired`: the identity never runs again.
enum class ServiceState { starting, training, no_model, running, exiting, retired };
/// Returns the name of a state, as the control API shows it.
[[nodiscard]] std::string_view name_of(ServiceState state);

/// What is known about the main model in use.
struct ModelSummary {
    std::int64_t training_examples = 0;
    double validation_accuracy = 0.0;
    double rho = 0.0;  ///< weight of the seeds in the current ensemble
};

/// The predictions for the rows of one request.
struct PredictionAnswer {
    std::vector<std::int64_t> labels;  ///< the likeliest class of each row
    std::vector<float> probabilities;  ///< [rows, classes]
    std::vector<learning::Participant> participants;
    double rho = 0.0;
};

/// Counts and times of training and prediction since the process began.
struct LearningCounters {
    std::uint64_t trainings = 0;
    std::uint64_t trainings_failed = 0;
    double last_training_seconds = 0.0;
    std::uint64_t predictions = 0;
    std::uint64_t predictions_failed = 0;
    double prediction_seconds = 0.0;
};

/// One node with its learning. Use it on the thread that runs `io`; every callback is called on that thread
/// too.
class NodeService {
  public:
    using EventSink = std::function<void(const protocol::Event&)>;
    /// Called with nothing on success, or with one line about what went wrong.
    using Done = std::function<void(std::optional<std::string>)>;

    struct Setup {
        const config::NodeConfig& config;
        const protocol::Identity& identity;
        config::Binding binding;
        EventSink events;
    };

    /// Opens the state and binds the socket. What `setup` refers to must outlive the service.
    /// @return retired when this identity has left; malformed for what the user has to correct.
    [[nodiscard]] static protocol::Result<std::unique_ptr<NodeService>> create(asio::io_context& io,
                                                                               network::ZmqContext& zmq,
                                                                               Setup setup);
    ~NodeService();
    NodeService(const NodeService&) = delete;
    NodeService& operator=(const NodeService&) = delete;

    /// Reads the data, joins the network, and learns in the background. A node that is leaving needs neither
    /// data nor a model. @return malformed, naming file or key, when the data cannot be used.
    [[nodiscard]] protocol::Result<void> start();
    /// Sends Bye to the peers. Nothing happens afterwards.
    void stop();
    /// Stops and closes the state. What still computes no longer affects the node.
    void close();

    [[nodiscard]] ServiceState state() const;
    [[nodiscard]] bool is_training() const { return jobs_ > 0; }
    [[nodiscard]] const std::optional<std::string>& training_problem() const { return training_problem_; }
    [[nodiscard]] std::optional<ModelSummary> model() const;
    [[nodiscard]] LearningCounters learning() const { return counters_; }
    [[nodiscard]] const config::NodeConfig& config() const { return setup_.config; }
    /// Returns the names of the features in the order in which models see them; empty for images, and when
    /// leaving.
    [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
    [[nodiscard]] const protocol::NetworkId& network() const { return setup_.binding.network; }
    /// Returns why the last connection with a peer ended or could not be made; nothing while it is fine.
    [[nodiscard]] std::optional<std::string> problem_with(const protocol::NodeId& peer) const;
    [[nodiscard]] runtime::Node& node() { return *node_; }
    [[nodiscard]] const runtime::Node& node() const { return *node_; }

    /// Learns again from the data files as they are now, and always publishes a new version of the seed.
    /// `done` is called when it is durable.
    void publish(Done done);
    /// Makes an answer ready to be sent. @return what sends it
    using Render = std::function<std::function<void()>(const protocol::Result<PredictionAnswer>&)>;
    /// Calls `read` for the request, and then `render` with an answer, or with one line when the request
    /// cannot be read, the rows have another width, or there is no model yet. Both run on the thread of
    /// predictions, so that a large request holds up nothing else; where there is no model `render` runs at
    /// once. What `render` returns is called only while every owner of a seed that took part still has a
    /// seed here. When an owner left meanwhile, the answer is dropped and computed again without it.
    void predict(std::function<protocol::Result<PredictionRequest>()> read, Render render);
    /// Begins our own exit. `give_up_exit` ends it without the receipts that are missing.
    void begin_exit();
    void give_up_exit();

  private:
    /// The ensemble and the object that feeds it; shared with the threads that compute.
    struct Live {
        Live(std::shared_ptr<const learning::OwnPart> own, const learning::EnsembleOptions& options,
             boost::asio::thread_pool& checks)
            : ensemble(std::move(own), options), seeds(ensemble, checks) {}
        learning::EnsembleHolder ensemble;
        EnsembleSeeds seeds;
    };
    struct Job {
        bool publish_always = false;
        bool has_seed = false;
        std::optional<NodeData> data;  ///< set when the data were read already
        Done done;
    };
    struct Prediction {
        std::shared_ptr<Live> live;
        PredictionRequest request;
        Render render;
        int tries = 0;
    };
    struct Waiting {
        std::uint64_t after = 0;
        protocol::Digest fingerprint;
        Done done;
    };

    NodeService(asio::io_context& io, Setup setup);
    void begin_job(Job job);
    void run_job(Job job);
    /// Does the work of a job. `end` is called once, unless this throws.
    void learn(Job& job, const std::function<void(std::optional<std::string>)>& end);
    void end_job(const Done& done, std::optional<std::string> problem, double seconds);
    /// Runs a function on the node's thread; it is dropped if the service is gone by then.
    void on_node_thread(std::function<void(NodeService&)> function);
    void take_over(std::shared_ptr<Live> live, const Learnt& learnt);
    void publish_seed(protocol::SharedSeedBytes payload, const protocol::Digest& fingerprint, Done done);
    void finish_publishing(protocol::SeedVersion version);
    void tell_that_storage_fails(const std::string& detail);
    void refuse_publishing(const std::string& detail);
    void on_event(const protocol::Event& event);
    void note_peer(const protocol::Event& event);
    void write_certificate();
    void watch_data();
    [[nodiscard]] std::string why_no_model() const;
    /// Computes an answer and sends it, or computes another one. Runs on the thread of predictions.
    void answer_prediction(const std::shared_ptr<Prediction>& wanted);
    [[nodiscard]] bool holds_all(const std::vector<learning::Participant>& participants) const;

    asio::io_context& io_;
    Setup setup_;
    std::atomic<bool> cancelled_ = false;
    Learner learner_;
    LateSeeds late_seeds_;
    std::shared_ptr<NodeService*> alive_;

    boost::asio::thread_pool training_{1};
    boost::asio::thread_pool checks_{1};
    boost::asio::thread_pool predictions_{1};
    std::shared_ptr<Live> trained_live_;  ///< used by the training thread
    std::shared_ptr<Live> live_;          ///< used by the node's thread
    std::optional<ModelSummary> model_;
    config::Scaling scaling_;
    std::vector<std::string> columns_;

    std::unique_ptr<runtime::Node> node_;
    bool started_ = false;
    bool retired_ = false;
    bool certificate_begun_ = false;
    int jobs_ = 0;
    std::optional<std::string> training_problem_;
    std::map<protocol::NodeId, std::string> peer_problems_;
    std::vector<Waiting> publishing_;
    LearningCounters counters_;
    asio::steady_timer watch_timer_;
    std::string trained_stamp_;
    std::string last_stamp_;
};

}  // namespace unlearn::daemon
