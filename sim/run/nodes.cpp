#include "sim/run/nodes.hpp"

#include "node/learning/accuracy.hpp"

namespace unlearn::sim::run {

void Evaluation::score(const at::Tensor& main, const learning::Dataset& test,
                       const learning::Dataset& own_examples) {
    const auto own = own_examples.class_distribution();
    scores.own = {learning::own_accuracy(main, test, own), learning::own_accuracy(own_prior, test, own)};
    scores.full = {learning::full_accuracy(main, test), learning::full_accuracy(uniform_prior, test)};
}

std::vector<report::NodeResult> facts_of(const Setup& setup) {
    std::vector<report::NodeResult> out;
    for (const auto& node : setup.nodes) {
        report::NodeResult facts;
        facts.name = node.name;
        facts.id = node.identity.id().text();
        for (const auto neighbour : node.neighbours)
            facts.neighbours.push_back(setup.nodes[neighbour].name);
        facts.main_architecture = node.main_architecture.text();
        facts.seed_architecture = node.seed_architecture.text();
        facts.training_images = static_cast<std::uint64_t>(node.own.size());
        facts.missing_classes = node.missing_classes;
        out.push_back(std::move(facts));
    }
    return out;
}

}  // namespace unlearn::sim::run
