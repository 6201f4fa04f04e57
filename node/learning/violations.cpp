#include "node/learning/violations.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "node/learning/data/assert.hpp"

namespace unlearn::learning::violations {
namespace {

constexpr std::array<std::pair<std::string_view, Violation>, 5> kNames{{
    {"none", Violation::none},
    {"distil-from-ensemble", Violation::distil_from_ensemble},
    {"keep-old-rho", Violation::keep_old_rho},
    {"fused-cache", Violation::fused_cache},
    {"shared-stream", Violation::shared_stream},
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
    RandomStream stream_;
};

}  // namespace

// Makes the ensembles that Ensemble::build() would not.
class UnlawfulBuilder {
  public:
    static std::shared_ptr<const Ensemble> with_rho(std::shared_ptr<const OwnPart> own,
                                                    RebuildRule::Members members,
                                                    const EnsembleOptions& options, double rho) {
        std::shared_ptr<Ensemble> ensemble(new Ensemble(std::move(own), std::move(members), options));
        ensemble->rho_ = ensemble->members_.empty() ? 0.0 : rho;
        return ensemble;
    }
    static std::shared_ptr<const Ensemble> with_class_factors(std::shared_ptr<const OwnPart> own,
                                                              RebuildRule::Members members,
                                                              const EnsembleOptions& options,
                                                              std::vector<double> factors) {
        std::shared_ptr<Ensemble> ensemble(new Ensemble(std::move(own), std::move(members), options));
        ensemble->rho_ = ensemble->validated_rho();
        ensemble->class_factors_ = std::move(factors);
        return ensemble;
    }
};

namespace {

// Chooses rho when seeds arrive, and keeps it when they leave.
class KeepOldRho final : public RebuildRule {
  public:
    std::shared_ptr<const Ensemble> rebuild(std::shared_ptr<const OwnPart> own, Members members,
                                            const EnsembleOptions& options) override {
        const bool member_left = members.size() < last_size_;
        last_size_ = members.size();
        if (member_left)
            return UnlawfulBuilder::with_rho(std::move(own), std::move(members), options, last_rho_);
        auto ensemble = Ensemble::build(std::move(own), std::move(members), options);
        last_rho_ = ensemble->rho();
        return ensemble;
    }

  private:
    std::size_t last_size_ = 0;
    double last_rho_ = 0.0;
};

// Keeps a running sum of what the members say about the reference set, to even out classes that the seeds
// together favour. Floating-point subtraction does not undo an addition: the leaver's trace stays in the last
// bits.
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
        std::vector<double> factors;
        for (const float sum : running_sum_)
            factors.push_back(1.0 / (1.0 + std::max(0.0, static_cast<double>(sum))));
        return UnlawfulBuilder::with_class_factors(std::move(own), std::move(members), options,
                                                   std::move(factors));
    }

  private:
    void add(const std::vector<float>& mass, float sign) {
        for (std::size_t c = 0; c < running_sum_.size(); ++c)
            running_sum_[c] += sign * mass[c];
    }

    std::map<MemberId, std::vector<float>> counted_;
    std::vector<float> running_sum_;
};

}  // namespace

Result<Violation> parse_violation(std::string_view text) {
    for (const auto& [name, value] : kNames) {
        if (name == text) return value;
    }
    return fail("unknown violation \"" + std::string(text.substr(0, 40)) +
                "\": expected distil-from-ensemble, keep-old-rho, fused-cache or shared-stream");
}

std::string to_text(Violation violation) {
    const auto found =
        std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.second == violation; });
    UNLEARN_ASSERT(found != kNames.end());
    return std::string(found->first);
}

std::unique_ptr<StreamSource> stream_source(Violation violation, std::uint64_t scenario_seed) {
    if (violation == Violation::shared_stream) return std::make_unique<SharedStream>(scenario_seed);
    return std::make_unique<NamedStreams>(scenario_seed);
}

std::unique_ptr<RebuildRule> rebuild_rule(Violation violation) {
    if (violation == Violation::keep_old_rho) return std::make_unique<KeepOldRho>();
    if (violation == Violation::fused_cache) return std::make_unique<FusedCache>();
    return honest_rebuild_rule();
}

Result<Seed> EnsembleDistiller::distil(const Ensemble& teacher, const ReferenceSet& reference,
                                       const Architecture& seed_architecture, const DistilOptions& options,
                                       at::Generator generator) {
    const auto prediction = teacher.predict(reference.inputs(), Prior::uniform);
    if (!prediction) return tl::unexpected(prediction.error());
    return Distiller::imitate(prediction->probabilities.clamp_min(1e-6).log(), reference, seed_architecture,
                              teacher.own().shape(), options, std::move(generator), {}, nullptr);
}

}  // namespace unlearn::learning::violations
