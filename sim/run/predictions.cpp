#include "sim/run/predictions.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "sim/support/output_folder.hpp"

namespace unlearn::sim::run {
namespace {

std::string_view bytes_of(const at::Tensor& tensor) {
    TORCH_CHECK(tensor.is_contiguous() && tensor.scalar_type() == at::kFloat);
    return {static_cast<const char*>(tensor.data_ptr()),
            static_cast<std::size_t>(tensor.numel()) * sizeof(float)};
}

std::size_t differing_rows(std::string_view a, std::string_view b, std::size_t row_bytes) {
    std::size_t differing = 0;
    for (std::size_t at = 0; at < a.size(); at += row_bytes)
        differing += std::memcmp(a.data() + at, b.data() + at, row_bytes) != 0 ? 1 : 0;
    return differing;
}

Result<std::string> read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return failed_with(file, "cannot be read");
    return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

Result<void> write_predictions(const std::filesystem::path& folder,
                               const std::vector<Evaluation>& evaluations) {
    nlohmann::json index{{"nodes", nlohmann::json::array()}};
    std::string data;
    for (const auto& evaluation : evaluations) {
        index["nodes"].push_back(evaluation.name);
        index["rows"] = evaluation.own_prior.size(0);
        index["classes"] = evaluation.own_prior.size(1);
        data += bytes_of(evaluation.own_prior);
        data += bytes_of(evaluation.uniform_prior);
    }
    if (auto ok = support::write_file(folder / "predictions.f32", data); !ok) return ok;
    return support::write_file(folder / "predictions.json", index.dump() + "\n");
}

Result<Comparison> compare_predictions(const std::filesystem::path& folder,
                                       const std::vector<Evaluation>& evaluations) {
    const auto index_text = read_file(folder / "predictions.json");
    if (!index_text) return failed_with(index_text.error());
    const auto data = read_file(folder / "predictions.f32");
    if (!data) return failed_with(data.error());
    std::vector<std::string> names;
    try {
        names = nlohmann::json::parse(*index_text).at("nodes").get<std::vector<std::string>>();
    } catch (const nlohmann::json::exception& error) {
        return failed_with(folder / "predictions.json", error.what());
    }
    if (names.size() != evaluations.size()) return failed_with(folder, "has predictions of other nodes");

    Comparison comparison;
    std::size_t at = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] != evaluations[i].name) return failed_with(folder, "has predictions of other nodes");
        for (const auto* tensor : {&evaluations[i].own_prior, &evaluations[i].uniform_prior}) {
            const auto mine = bytes_of(*tensor);
            if (data->size() < at + mine.size())
                return failed_with(folder / "predictions.f32", "is too short");
            const auto row_bytes = static_cast<std::size_t>(tensor->size(1)) * sizeof(float);
            comparison.differing +=
                differing_rows(mine, std::string_view(*data).substr(at, mine.size()), row_bytes);
            comparison.predictions += static_cast<std::size_t>(tensor->size(0));
            at += mine.size();
        }
        ++comparison.nodes;
    }
    if (at != data->size()) return failed_with(folder / "predictions.f32", "is too long");
    return comparison;
}

bool same_predictions(const Evaluation& a, const Evaluation& b) {
    return bytes_of(a.own_prior) == bytes_of(b.own_prior) &&
           bytes_of(a.uniform_prior) == bytes_of(b.uniform_prior);
}

}  // namespace unlearn::sim::run
