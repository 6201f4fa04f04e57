#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unlearn::learning {

/// The largest magnitude of a feature. Its square fits a float, and every 64-bit integer is smaller. Larger
/// numbers are marks that geographic and other software writes for missing values.
constexpr double kLargestFeature = 1e19;

/// The shape of one example. A row of a numeric table is {1, 1, columns}.
struct InputShape {
    std::int64_t channels = 1;
    std::int64_t height = 1;
    std::int64_t width = 1;
    /// The number of public features that models see beside the values (features/feature_map.hpp); 0 in a
    /// network without a feature map.
    std::int64_t features = 0;

    /// The number of values, without features.
    [[nodiscard]] std::int64_t size() const { return channels * height * width; }
    friend bool operator==(const InputShape&, const InputShape&) = default;
};

/// Labelled examples as they come from a file, before anything is learnt from them.
struct LabelledData {
    std::size_t count = 0;
    InputShape shape;
    std::vector<std::string> class_names;  ///< in the order in which the labels number them
    std::vector<float> features;           ///< count x shape.size(), row-major; images are scaled to [0, 1]
    std::vector<std::int64_t> labels;      ///< `count` numbers in [0, class_names.size())
    std::vector<std::string> columns;      ///< names of the features of a table; empty for images
};

/// A data set with separate training and test data.
struct TrainAndTest {
    LabelledData train;
    LabelledData test;
};

}  // namespace unlearn::learning
