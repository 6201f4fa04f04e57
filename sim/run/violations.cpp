#include "sim/run/violations.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"

namespace unlearn::sim::run {

using learning::Architecture;
using learning::Dataset;
using learning::DistilOptions;
using learning::Ensemble;
using learning::EnsembleOptions;
using learning::MemberId;
using learning::OwnPart;
using learning::RebuildRule;
using learning::ReferenceSet;
using learning::Seed;
using scenario::StreamSource;

namespace {

constexpr std::array<std::pair<std::string_view, Violation>, 6> kNames{{
    {"none", Violation::none},
    {"distil-from-ensemble", Violation::distil_from_ensemble},
    {"keep-old-rho", Violation::keep_old_rho},
    {"fused-cache", Violation::fused_cache},
    {"shared-stream", Violation::shared_stream},
    {"features-from-private-data", Violation::features_from_private_data},
}};

class SharedStream final : public StreamSource {
  public:
    explicit SharedStream(std::uint64_t scenario_seed) : stream_(scenario_seed) {}
    std::uint64_t seed(std::string_view, std::string_view) override {
        const std::lock_guard guard(guard_);
        return stream_.next();
    }

  private:
    std::mutex guard_;
    learning::RandomStream stream_;
};

// Chooses rho when seeds arrive, and keeps the old one when a seed leaves.
class KeepOldRho final : public RebuildRule {
  public:
    std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own, Members members,
                                            const EnsembleOptions& options) override {
        const bool member_left = members.size() < last_size_;
        last_size_ = members.size();
        EnsembleOptions used = options;
        if (member_left) used.fixed_rho = last_rho_;
        auto ensemble = Ensemble::build(std::move(own), std::move(members), used);
        last_rho_ = ensemble->rho();
        return ensemble;
    }

  private:
    std::size_t last_size_ = 0;
    double last_rho_ = 0.0;
};

// Keeps a running sum of what the members say about the reference set, and gives the members less weight the
// more they favour the same classes. Floating-point subtraction does not undo an addition, so a trace of the
// leaver stays in the last bits.
class FusedCache final : public RebuildRule {
  public:
    std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own, Members members,
                                            const EnsembleOptions& options) override {
        running_sum_.resize(own->classes(), 0.0F);
        std::map<MemberId, std::vector<float>> now;
        for (const auto& member : members)
            now.emplace(member->id(), member->class_mass());
        for (const auto& [id, mass] : counted_) {
            if (now.find(id) == now.end() || now.at(id) != mass) add(mass, -1.0F);
        }
        for (const auto& [id, mass] : now) {
            if (counted_.find(id) == counted_.end() || counted_.at(id) != mass) add(mass, 1.0F);
        }
        counted_ = std::move(now);
        EnsembleOptions used = options;
        used.fixed_rho = 1.0 - concentration() / 2.0;
        return Ensemble::build(std::move(own), std::move(members), used);
    }

  private:
    void add(const std::vector<float>& mass, float sign) {
        for (std::size_t c = 0; c < running_sum_.size(); ++c)
            running_sum_[c] += sign * mass[c];
    }
    // The sum of squares of the classes' shares, from 0 to 1.
    [[nodiscard]] double concentration() const {
        double squares = 0.0;
        for (const double sum : running_sum_)
            squares += sum * sum;
        const auto members = static_cast<double>(std::max<std::size_t>(1, counted_.size()));
        return squares / (members * members);
    }

    std::map<MemberId, std::vector<float>> counted_;
    std::vector<float> running_sum_;
};

}  // namespace

learning::Result<Violation> parse_violation(std::string_view text) {
    for (const auto& [name, value] : kNames) {
        if (name == text) return value;
    }
    return learning::fail("unknown violation \"" + std::string(text.substr(0, 40)) +
                          "\": expected distil-from-ensemble, keep-old-rho, fused-cache, shared-stream or "
                          "features-from-private-data");
}

std::string to_text(Violation violation) {
    const auto found =
        std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.second == violation; });
    UNLEARN_ASSERT(found != kNames.end());
    return std::string(found->first);
}

std::unique_ptr<StreamSource> stream_source(Violation violation, std::uint64_t scenario_seed) {
    if (violation == Violation::shared_stream) return std::make_unique<SharedStream>(scenario_seed);
    return std::make_unique<scenario::NamedStreams>(scenario_seed);
}

std::unique_ptr<RebuildRule> rebuild_rule(Violation violation) {
    if (violation == Violation::keep_old_rho) return std::make_unique<KeepOldRho>();
    if (violation == Violation::fused_cache) return std::make_unique<FusedCache>();
    return learning::honest_rebuild_rule();
}

learning::Result<Seed> distil_from_ensemble(const Ensemble& teacher, const ReferenceSet& reference,
                                            const Architecture& seed_architecture,
                                            const DistilOptions& options, at::Generator generator,
                                            const learning::FeatureMap* features) {
    const auto prediction = teacher.predict(reference.inputs(), learning::Prior::uniform);
    if (!prediction) return tl::unexpected(prediction.error());
    const at::Tensor labels = prediction->probabilities.argmax(1);
    const at::Tensor inputs = reference.inputs().rows().contiguous();
    learning::LabelledData labelled;
    labelled.count = static_cast<std::size_t>(reference.size());
    labelled.shape = {inputs.size(1), inputs.size(2), inputs.size(3)};
    labelled.class_names.resize(teacher.own().classes());
    labelled.features.assign(inputs.data_ptr<float>(), inputs.data_ptr<float>() + inputs.numel());
    labelled.labels.assign(labels.data_ptr<std::int64_t>(), labels.data_ptr<std::int64_t>() + labels.numel());
    const auto data = Dataset::from_table(labelled, features);
    // A head is solved, and so is what it comes from.
    const Architecture ridge{learning::ArchitectureKind::ridge, {}, 0};
    const auto main =
        learning::learn(seed_architecture.sees_features() ? ridge : seed_architecture,
                        {data, data.subset({})}, learning::TrainOptions{options.optimisation}, generator);
    if (!main) return tl::unexpected(main.error());
    return learning::distil(*main, reference, seed_architecture, options, std::move(generator));
}

}  // namespace unlearn::sim::run
