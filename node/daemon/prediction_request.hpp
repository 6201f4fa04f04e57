#pragma once

#include <string>
#include <vector>

#include "node/daemon/http_server.hpp"
#include "node/learning/data/prior.hpp"
#include "protocol/result.hpp"

namespace unlearn::daemon {

/// A request for predictions.
struct PredictionRequest {
    std::vector<float> features;  ///< rows of raw numbers, as in data files
    std::size_t rows = 0;
    std::vector<std::string> columns;  ///< the column of each number in a row; empty: the network's order
    learning::Prior prior = learning::Prior::own;
};

/// Reads a request for predictions. It takes time and memory in proportion to the body, so it should not run
/// on the thread that serves the network. @return malformed, with one line that names the row or the name
[[nodiscard]] protocol::Result<PredictionRequest> read_prediction(const HttpRequest& request);

}  // namespace unlearn::daemon
