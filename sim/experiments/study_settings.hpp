#pragma once

#include <cstdint>
#include <string>

#include "sim/experiments/network_settings.hpp"

/// What is done with each scenario of an experiment: plain values, read from its file.
namespace unlearn::sim::experiments {

enum class StudyKind {
    kLearning,    ///< train, distil, give every neighbour its seeds, score; no network
    kNetwork,     ///< production nodes in virtual time, with churn and losses
    kComparison,  ///< HDUS, D-PSGD and FedAvg on the same data, until one node is forgotten
};

/// Owners whose seeds say something else than they learnt.
struct PoisonSettings {
    enum class Kind {
        kRotate,  ///< the next class in place of each
        kSwap,    ///< the first two classes exchanged, which a holder that lacks them cannot notice
    };
    std::uint32_t nodes = 0;  ///< how many, drawn by name
    Kind kind = Kind::kRotate;
};

struct LearningStudySettings {
    std::string one_model;  ///< an architecture to train on everybody's data together; empty: none
};

struct ComparisonSettings {
    std::string model = "mlp:100";  ///< of D-PSGD and FedAvg, whose nodes must agree on one
    std::uint32_t rounds = 60;
    std::uint32_t local_epochs = 1;
    std::uint32_t batch = 32;
    double learning_rate = 0.05;
    double target = 0.99;  ///< part of the survivors' final accuracy at which the price of forgetting is paid
};

struct StudySettings {
    PoisonSettings poison;
    LearningStudySettings learning;
    ComparisonSettings comparison;
    NetworkStudySettings network;
};

}  // namespace unlearn::sim::experiments
