#include "node/config/node_data.hpp"

#include <cstring>

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

}  // namespace

Result<LabelledData> load_own_data(const DataConfig& data) {
    if (data.kind == DataKind::csv) {
        learning::CsvOptions options;
        options.label = data.label;
        options.class_names = data.classes;
        return checked(learning::load_csv(data.path, options));
    }
    auto own =
        checked(learning::load_idx(data.images, data.labels, static_cast<std::int64_t>(data.classes.size())));
    if (own) own->class_names = data.classes;
    return own;
}

Result<LabelledData> load_reference(const DataConfig& data) {
    if (data.kind == DataKind::idx) return checked(learning::load_idx_images(data.reference));
    learning::CsvOptions options;
    options.label = data.label;
    options.class_names = data.classes;
    return checked(learning::load_csv(data.reference, options));
}

protocol::Digest digest_of_examples(const LabelledData& data) {
    protocol::Bytes bytes(data.features.size() * sizeof(float));
    std::memcpy(bytes.data(), data.features.data(), bytes.size());
    return protocol::digest_of(bytes);
}

std::string_view preprocessing_of(DataKind kind) {
    return kind == DataKind::idx ? "scale-1/255" : "none";
}

protocol::NetworkId network_of(const NodeConfig& config, const LabelledData& reference) {
    protocol::NetworkDescription description;
    description.name = config.network_key ? "key " + config.network_key->text() : config.network_name;
    for (const auto size : {reference.shape.channels, reference.shape.height, reference.shape.width})
        description.input_shape.push_back(static_cast<std::uint32_t>(size));
    description.classes = config.data.classes;
    description.preprocessing = preprocessing_of(config.data.kind);
    description.reference_set = digest_of_examples(reference);
    return protocol::network_id_of(description);
}

}  // namespace unlearn::config
