#include "node/config/node_data.hpp"

#include <cmath>
#include <cstring>
#include <tuple>

#include "node/learning/data/architecture.hpp"
#include "node/learning/data/columns.hpp"
#include "node/learning/data/csv.hpp"
#include "node/learning/data/idx.hpp"

namespace unlearn::config {

using learning::LabelledData;
using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

namespace {

Result<LabelledData> checked(learning::Result<LabelledData> data) {
    if (!data) return fail(ErrorCode::malformed, data.error().message);
    return std::move(*data);
}

/// "28 x 28", or "3 x 32 x 32" with channels.
std::string size_text(const learning::InputShape& shape) {
    const std::string plane = std::to_string(shape.height) + " x " + std::to_string(shape.width);
    return shape.channels == 1 ? plane : std::to_string(shape.channels) + " x " + plane;
}

std::vector<std::string> warnings_about(const DataConfig& data, const NodeInputs& inputs) {
    std::vector<std::string> lines;
    const auto files = {std::pair(&data.path, &inputs.own), std::pair(&data.reference, &inputs.reference)};
    for (const auto& [file, table] : files)
        for (const auto& line : learning::suspicious_columns(*table))
            lines.push_back(file->string() + ": " + line);
    // A file with few rows may also be one that is still being written.
    constexpr std::size_t kFewestRows = 10;
    for (const auto& [file, table] : files)
        if (table->count < kFewestRows)
            lines.push_back(file->string() + ": holds only " + std::to_string(table->count) +
                            (table->count == 1 ? " row" : " rows") + ": too few to learn from");
    return lines;
}

}  // namespace

Result<LabelledData> load_reference(const DataConfig& data) {
    if (data.kind == DataKind::idx) return checked(learning::load_idx_images(data.reference));
    learning::CsvOptions options;
    options.label = data.label;
    options.skip_label = true;
    options.format = data.format;
    return checked(learning::load_csv(data.reference, options));
}

Result<LabelledData> load_own_data(const DataConfig& data, const LabelledData& reference) {
    if (data.kind == DataKind::idx)
        return checked(learning::load_idx(data.images, data.labels, data.classes));
    learning::CsvOptions options;
    options.label = data.label;
    options.class_names = data.classes;
    options.columns = {reference.columns, data.reference.string()};
    options.format = data.format;
    return checked(learning::load_csv(data.path, options));
}

Result<NodeInputs> load_inputs(const NodeConfig& config) {
    auto reference = load_reference(config.data);
    if (!reference) return tl::unexpected(reference.error());
    auto own = load_own_data(config.data, *reference);
    if (!own) return tl::unexpected(own.error());
    if (reference->shape != own->shape)
        return fail(ErrorCode::malformed, config.data.reference.string() + ": its examples are " +
                                              size_text(reference->shape) + ", and the node's own are " +
                                              size_text(own->shape));
    const auto classes = static_cast<std::int64_t>(config.data.classes.size());
    for (const auto& [key, architecture, limits] :
         {std::tuple("main", config.model.main, learning::kMainLimits),
          std::tuple("seed", config.model.seed, learning::kSeedLimits)})
        if (auto fits = learning::expected_tensors(architecture, own->shape, classes, limits); !fits)
            return fail(ErrorCode::malformed,
                        config.file.string() + ": model." + key + ": " + fits.error().message);
    NodeInputs inputs{std::move(*own), std::move(*reference), {}};
    if (config.data.kind == DataKind::csv) inputs.warnings = warnings_about(config.data, inputs);
    return inputs;
}

protocol::Digest digest_of_examples(const LabelledData& data) {
    protocol::Bytes bytes(data.features.size() * sizeof(float));
    std::memcpy(bytes.data(), data.features.data(), bytes.size());
    return protocol::digest_of(bytes);
}

std::string_view preprocessing_of(DataKind kind) {
    return kind == DataKind::idx ? "scale-1/255" : "standardised-by-reference";
}

Scaling Scaling::of(DataKind kind, const LabelledData& reference) {
    Scaling scaling;
    if (kind == DataKind::idx || reference.count == 0) return scaling;
    const auto columns = static_cast<std::size_t>(reference.shape.size());
    const auto rows = static_cast<double>(reference.count);
    for (std::size_t column = 0; column < columns; ++column) {
        double sum = 0.0;
        for (std::size_t row = 0; row < reference.count; ++row)
            sum += reference.features[row * columns + column];
        const double mean = sum / rows;
        double squares = 0.0;
        for (std::size_t row = 0; row < reference.count; ++row) {
            const double distance = reference.features[row * columns + column] - mean;
            squares += distance * distance;
        }
        const double deviation = std::sqrt(squares / rows);
        scaling.shift_.push_back(static_cast<float>(mean));
        scaling.factor_.push_back(deviation > 0.0 ? static_cast<float>(1.0 / deviation) : 0.0F);
    }
    return scaling;
}

void Scaling::apply_to_loaded(std::vector<float>& features) const {
    if (shift_.empty()) return;
    for (std::size_t i = 0; i < features.size(); ++i)
        features[i] = (features[i] - shift_[i % shift_.size()]) * factor_[i % shift_.size()];
}

void Scaling::apply_to_raw(std::vector<float>& features) const {
    constexpr float kWhite = 255.0F;
    if (!shift_.empty()) return apply_to_loaded(features);
    for (float& value : features)
        value /= kWhite;
}

protocol::NetworkId network_of(const NodeConfig& config, const LabelledData& reference, BoundItems bound) {
    protocol::NetworkDescription description;
    // The prefixes differ, so that a name that looks like a key does not make the network of that key.
    description.name =
        config.network_key ? "key " + config.network_key->text() : "name " + config.network_name;
    for (const auto size : {reference.shape.channels, reference.shape.height, reference.shape.width})
        description.input_shape.push_back(static_cast<std::uint32_t>(size));
    description.classes = config.data.classes;
    description.preprocessing = preprocessing_of(config.data.kind);
    description.reference_set = digest_of_examples(reference);
    if (bound == BoundItems::all) description.columns = reference.columns;
    return protocol::network_id_of(description);
}

bool belongs_to(const protocol::NetworkId& network, const NodeConfig& config, const LabelledData& reference) {
    return network == network_of(config, reference) ||
           network == network_of(config, reference, BoundItems::values);
}

}  // namespace unlearn::config
