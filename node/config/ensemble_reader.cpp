#include "node/config/ensemble_reader.hpp"

namespace unlearn::config {

learning::EnsembleOptions read_ensemble(TableReader& root) {
    learning::EnsembleOptions options;
    TableReader reader = root.section("ensemble");
    reader.read_choice("aggregation", options.aggregation, learning::aggregation_names());
    reader.read("rho", options.fixed_rho, {0, 1});
    reader.read("calibrated", options.calibrated);
    reader.read("weighted", options.weighted);
    reader.finish();
    return options;
}

}  // namespace unlearn::config
