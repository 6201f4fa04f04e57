#include "node/daemon/learner.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "node/learning/accuracy.hpp"
#include "node/learning/data/random.hpp"
#include "node/learning/distillation.hpp"
#include "node/learning/ensemble/member.hpp"
#include "node/learning/failure.hpp"
#include "node/learning/generator.hpp"
#include "node/learning/memory.hpp"
#include "node/storage/files.hpp"

namespace unlearn::daemon {
namespace {

using learning::LabelledData;
using protocol::Bytes;
using protocol::Digest;

constexpr const char* kModelFile = "main-model";
constexpr const char* kPublishedFile = "published-seed";

tl::unexpected<learning::Error> failed(std::string line) {
    return tl::unexpected(learning::Error{std::move(line)});
}

Bytes read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <typename T>
void append(Bytes& bytes, const T* values, std::size_t count) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(values);
    bytes.insert(bytes.end(), begin, begin + count * sizeof(T));
}

void append(Bytes& bytes, const std::string& text) {
    append(bytes, text.data(), text.size() + 1);
}

void append(Bytes& bytes, const learning::OptimisationSettings& settings) {
    for (const double number :
         {static_cast<double>(settings.epochs.value_or(0)), static_cast<double>(settings.batch.value_or(0)),
          settings.learning_rate.value_or(-1), settings.weight_decay.value_or(-1),
          settings.temperature.value_or(-1)})
        append(bytes, &number, 1);
}

/// Returns a digest of everything that decides the main model.
Digest model_fingerprint(const LabelledData& data, const config::NodeConfig& config,
                         const protocol::NetworkId& network, std::uint64_t stream_seed) {
    Bytes bytes;
    bytes.reserve(data.features.size() * sizeof(float) + data.labels.size() * sizeof(std::int64_t) + 256);
    append(bytes, data.features.data(), data.features.size());
    append(bytes, data.labels.data(), data.labels.size());
    append(bytes, network.value.data(), network.value.size());
    append(bytes, &stream_seed, 1);
    append(bytes, config.model.main_name());
    if (!config.model.torchscript.empty()) {
        const Bytes script = read_file(config.model.torchscript);
        append(bytes, script.data(), script.size());
    }
    append(bytes, &config.data.validation, 1);
    append(bytes, config.training);
    return protocol::digest_of(bytes);
}

Digest seed_fingerprint(const Digest& model, const config::NodeConfig& config) {
    Bytes bytes;
    append(bytes, model.value.data(), model.value.size());
    append(bytes, config.model.seed.text());
    append(bytes, config.distillation);
    return protocol::digest_of(bytes);
}

/// Returns the examples that held seeds are evaluated on. The rest is needed for distillation only.
learning::ReferenceSet reference_head(const LabelledData& reference) {
    std::vector<std::size_t> rows(std::min(reference.count, static_cast<std::size_t>(learning::kMassRows)));
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return learning::ReferenceSet::from_table(reference, rows);
}

double validation_accuracy(const learning::OwnPart& own) {
    const auto labels = own.validation_labels();
    if (labels.empty()) return 0.0;
    const auto answers = learning::likeliest_classes(own.validation_voter().logits, own.classes());
    std::size_t right = 0;
    for (std::size_t row = 0; row < labels.size(); ++row)
        right += answers[row] == labels[row] ? 1U : 0U;
    return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace

std::uint64_t Learner::stream(std::string_view purpose) const {
    return learning::stream_seed(seed_, "self", purpose);
}

learning::Result<NodeData> Learner::load() const {
    auto inputs = config::load_inputs(config_);
    if (!inputs) return failed(inputs.error().detail);
    auto& [own, reference, warnings] = *inputs;
    if (!config::belongs_to(network_, config_, reference))
        return failed(
            config_.file.string() +
            ": network, classes, reference set or its columns are not those that `unlearnctl init` bound "
            "this identity to");
    auto scaling = config::Scaling::of(config_.data.kind, reference);
    scaling.apply_to_loaded(own.features);
    scaling.apply_to_loaded(reference.features);
    return NodeData{std::move(own), std::move(reference), std::move(scaling), std::move(warnings)};
}

learning::Result<Learnt> Learner::learn(NodeData data) const {
    const learning::MemoryAtHand at_hand;
    const auto fingerprint = model_fingerprint(data.own, config_, network_, seed_);
    const auto reference = reference_head(data.reference);
    data.reference = {};
    const auto own = learning::Dataset::from_table(data.own);
    data.own = {};
    const auto split = learning::split_validation(own, config_.data.validation, stream("validation"));
    auto main = main_model(fingerprint, split);
    if (!main) return tl::unexpected(main.error());
    auto part = learning::OwnPart::make(*main, own, split.validation, reference);
    const double accuracy = validation_accuracy(*part);
    return Learnt{*main,
                  std::move(part),
                  std::move(data.scaling),
                  seed_fingerprint(fingerprint, config_),
                  split.train.size(),
                  accuracy};
}

learning::Result<void> Learner::check_model(NodeData data) const {
    if (config_.model.torchscript.empty()) return {};
    const auto own = learning::Dataset::from_table(data.own);
    const auto main = learning::MainModel::from_script(config_.model.torchscript, own);
    if (!main) return tl::unexpected(main.error());
    try {
        static_cast<void>(learning::predict_logits(main->model(), own.inputs()));
        const auto reference = learning::ReferenceSet::from_table(data.reference);
        static_cast<void>(learning::predict_logits(main->model(), reference.inputs()));
    } catch (const std::exception& error) {
        return failed(learning::cause_of(error));
    }
    return {};
}

learning::Result<learning::MainModel> Learner::main_model(const Digest& fingerprint,
                                                          const learning::ValidationSplit& data) const {
    if (!config_.model.torchscript.empty())
        return learning::MainModel::from_script(config_.model.torchscript, data.train);
    if (auto stored = stored_model(fingerprint, data.train.shape())) return std::move(*stored);
    const auto options = learning::train_options(config_.training, config_.model.main);
    auto trained = learning::learn(config_.model.main, data, options,
                                   learning::make_generator(stream("train")), {}, cancel_);
    if (!trained) return trained;
    if (auto stored = store_model(*trained, fingerprint); !stored) return tl::unexpected(stored.error());
    return trained;
}

learning::Result<protocol::SharedSeedBytes> Learner::distil(const Learnt& learnt) const {
    const learning::MemoryAtHand at_hand;
    auto table = config::load_reference(config_.data);
    if (!table) return failed(table.error().detail);
    if (!config::belongs_to(network_, config_, *table))
        return failed(config_.data.reference.string() +
                      ": changed; it is the same at all nodes of a network");
    learnt.scaling.apply_to_loaded(table->features);
    const auto reference = learning::ReferenceSet::from_table(*table);
    table->features = {};
    const auto options = learning::distil_options(config_.distillation, config_.model.seed);
    auto seed = learning::distil(learnt.main, reference, config_.model.seed, options,
                                 learning::make_generator(stream("distil")), {}, cancel_);
    if (!seed) return tl::unexpected(seed.error());
    return std::make_shared<const protocol::SeedBytes>(protocol::SeedBytes::copy_of(seed->payload()));
}

bool Learner::is_published(const Digest& seed_fingerprint) const {
    const auto bytes = read_file(config_.data_dir / kPublishedFile);
    return std::ranges::equal(bytes, seed_fingerprint.value);
}

learning::Result<void> Learner::remember_published(const Digest& seed_fingerprint) const {
    if (auto stored = storage::replace_file(config_.data_dir / kPublishedFile, seed_fingerprint.view());
        !stored)
        return failed(stored.error().detail);
    return {};
}

std::string Learner::data_stamp() const {
    std::string stamp;
    for (const auto& path :
         {config_.data.path, config_.data.images, config_.data.labels, config_.model.torchscript}) {
        struct stat found {};
        if (path.empty() || ::stat(path.c_str(), &found) != 0) continue;
        for (const auto number :
             {static_cast<std::int64_t>(found.st_size), std::int64_t{found.st_mtim.tv_sec},
              std::int64_t{found.st_mtim.tv_nsec}, static_cast<std::int64_t>(found.st_ino)})
            stamp += std::to_string(number) + " ";
    }
    return stamp;
}

// The file of the stored model contains its fingerprint, then safetensors.
std::optional<learning::MainModel> Learner::stored_model(const Digest& fingerprint,
                                                         const learning::InputShape& shape) const {
    const auto bytes = read_file(config_.data_dir / kModelFile);
    if (bytes.size() <= Digest::kSize ||
        !std::equal(fingerprint.value.begin(), fingerprint.value.end(), bytes.begin()))
        return std::nullopt;
    auto model = learning::MainModel::restore(config_.model.main, shape,
                                              static_cast<std::int64_t>(config_.data.classes.size()),
                                              std::span(bytes).subspan(Digest::kSize));
    if (!model) return std::nullopt;  // damaged, so a new one is trained
    return std::move(*model);
}

learning::Result<void> Learner::store_model(const learning::MainModel& main,
                                            const Digest& fingerprint) const {
    Bytes bytes(fingerprint.value.begin(), fingerprint.value.end());
    const auto saved = main.save();
    bytes.insert(bytes.end(), saved.begin(), saved.end());
    if (auto stored = storage::replace_file(config_.data_dir / kModelFile, bytes); !stored)
        return failed(stored.error().detail);
    return {};
}

}  // namespace unlearn::daemon
