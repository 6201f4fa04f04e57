#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "topologies/generators.hpp"

namespace unlearn::sim::report::test {

inline nlohmann::json accuracy(double own_main, double own_ensemble, double full_main, double full_ensemble) {
    return {{"own", {{"main", own_main}, {"ensemble", own_ensemble}}},
            {"full", {{"main", full_main}, {"ensemble", full_ensemble}}}};
}

inline topologies::Graph sample_graph() {
    return topologies::small_world(8, 4, 0.2, 1).value();
}

/// A run of the quickstart as it should be: node-3 left, all receipts came, nothing differs.
inline nlohmann::json sample_result() {
    const topologies::Graph graph = sample_graph();
    constexpr topologies::NodeIndex kLeaver = 3;
    const char* kinds[] = {"linear", "mlp:100", "cnn:16-32"};
    const int sizes[] = {7850, 79510, 52138};

    nlohmann::json result = {{"schema", 1},
                             {"scenario", "quickstart"},
                             {"seed", 1},
                             {"machine", {{"cpu", "Example CPU 3000"}, {"cores", 2}}},
                             {"software", {{"unlearnd", "0.1.0"}, {"libtorch", "1.13.1"}}},
                             {"summary", {{"accuracy", accuracy(.836, .857, .669, .824)}}}};
    nlohmann::json survivors = nlohmann::json::array();
    for (topologies::NodeIndex i = 0; i < graph.size(); ++i) {
        const double shift = 0.006 * (static_cast<int>(i) % 4 - 1);
        nlohmann::json neighbours = nlohmann::json::array();
        for (const auto neighbour : graph.neighbours(i))
            neighbours.push_back(graph.names[neighbour]);
        result["nodes"].push_back(
            {{"name", graph.names[i]},
             {"id", "un1" + std::string(20, 'q')},
             {"degree", graph.degree(i)},
             {"main_architecture", kinds[i % 3]},
             {"seed_architecture", "mlp:32"},
             {"main_parameters", sizes[i % 3]},
             {"seed_parameters", 25450},
             {"training_images", 2700},
             {"missing_classes", {(i * 2) % 10, (i * 2 + 1) % 10}},
             {"neighbours", neighbours},
             {"rho", 0.55},
             {"accuracy", accuracy(.836 + shift, .857 + shift, .669 - shift, .824 + shift)}});
        if (i == kLeaver) continue;
        const double loss = graph.neighbours(kLeaver).size() > 2 && i % 2 == 0 ? 0.008 : 0.0;
        survivors.push_back(
            {{"name", graph.names[i]},
             {"rho_before", 0.55},
             {"rho_after", 0.5},
             {"before", accuracy(.836 + shift, .857 + shift, .669 - shift, .824 + shift)},
             {"after", accuracy(.836 + shift, .856 + shift - loss, .669 - shift, .815 + shift - 3 * loss)}});
    }
    nlohmann::json holders = nlohmann::json::array();
    nlohmann::json per_holder = nlohmann::json::array();
    double ms = 3.1;
    for (const auto holder : graph.neighbours(kLeaver)) {
        holders.push_back(graph.names[holder]);
        per_holder.push_back({{"node", graph.names[holder]}, {"ms", ms}});
        ms += 2.35;
    }
    result["exits"] = {
        {{"node", "node-3"},
         {"holders", holders},
         {"receipts", holders.size()},
         {"missing", nlohmann::json::array()},
         {"time_to_forget_ms", {{"p50", 5.45}, {"p99", 7.8}, {"max", 7.8}}},
         {"per_holder", per_holder},
         {"certificate", "certificate-node-3.json"},
         {"accuracy",
          {{"before", accuracy(.836, .857, .669, .824)}, {"after", accuracy(.836, .853, .669, .806)}}},
         {"nodes", survivors}}};
    result["exactness"] = {{"checked", true},         {"nodes", 7},
                           {"predictions", 140000},   {"differing", 0},
                           {"bit_identical", true},   {"vacuous", nlohmann::json::array()},
                           {"world_b_seconds", 61.5}, {"violation", nullptr}};
    result["traffic"] = {{"bytes", 3320000},
                         {"seed_bytes", 3258000},
                         {"seed_transfer_bytes", 3290000},
                         {"overhead", 0.0098},
                         {"control_bytes", 30000},
                         {"by_kind",
                          {{"handshake", {{"bytes", 12000}}},
                           {"hello", {{"messages", 32}, {"bytes", 9100}}},
                           {"chunk", {{"messages", 224}, {"bytes", 3290000}}},
                           {"exit", {{"messages", 9}, {"bytes", 2100}}},
                           {"receipt", {{"messages", 3}, {"bytes", 900}}}}}};
    result["seconds"] = {{"load", 1.2},     {"train", 70.1}, {"distil", 31.5},         {"exchange", 0.9},
                         {"evaluate", 9.5}, {"exit", 0.012}, {"counterfactual", 61.5}, {"total", 174.9}};
    return result;
}

}  // namespace unlearn::sim::report::test
