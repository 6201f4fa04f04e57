#pragma once

#include <cstdint>
#include <string>

#include "sim/experiments/network_settings.hpp"

/// What is done with each scenario of an experiment: plain values that are read from its file.
namespace unlearn::sim::experiments {

/// What an experiment does with its runs.
enum class StudyKind {
    learning,    ///< train, distil, give every neighbour its seeds, and score, without a network
    network,     ///< production nodes in virtual time, with churn and losses
    comparison,  ///< HDUS, D-PSGD and FedAvg on the same data, until one node is forgotten
};

/// Owners whose seeds differ from what the owners learnt.
struct PoisonSettings {
    enum class Kind {
        rotate,  ///< names the next class instead of each class
        swap,    ///< exchanges the first two classes; a holder that lacks them cannot notice
    };
    std::uint32_t nodes = 0;  ///< number of poisoned nodes, drawn by name
    Kind kind = Kind::rotate;
};

/// Settings of the learning study.
struct LearningStudySettings {
    std::string one_model;  ///< architecture of one model on all nodes' data; empty: none
};

/// Settings of the comparison.
struct ComparisonSettings {
    std::string model = "mlp:100";  ///< the architecture for D-PSGD and FedAvg, the same at all nodes
    std::uint32_t rounds = 60;
    std::uint32_t local_epochs = 1;
    std::uint32_t batch = 32;
    double learning_rate = 0.05;
    double target = 0.99;  ///< part of the survivors' mean accuracy before the exit to reach again
};

/// The settings of all kinds of studies.
struct StudySettings {
    PoisonSettings poison;
    LearningStudySettings learning;
    ComparisonSettings comparison;
    NetworkStudySettings network;
};

}  // namespace unlearn::sim::experiments
