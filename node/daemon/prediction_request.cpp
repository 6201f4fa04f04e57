#include "node/daemon/prediction_request.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "node/daemon/control_request.hpp"
#include "node/learning/data/table.hpp"

namespace unlearn::daemon {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

/// Takes the numbers out of the body while it is parsed: as a tree of values they would need fifty times the
/// memory of the text.
class PredictionBody final : public nlohmann::json_sax<json> {
  public:
    explicit PredictionBody(PredictionRequest& out) : out_(out) {}

    /// @return the first problem; empty when there is none
    [[nodiscard]] std::string problem() const {
        if (!problem_.empty()) return problem_;
        if (depth_ != 0 || !is_object_) return "the body must be a JSON object";
        if (!has_inputs_) return "inputs: must be a list of rows of numbers";
        if (out_.rows == 0) return "inputs: no rows";
        const std::set<std::string_view> names(out_.columns.begin(), out_.columns.end());
        if (has_columns_ && names.empty()) return "columns: must be a list of names";
        if (names.size() != out_.columns.size()) return "columns: has a column twice";
        return {};
    }

    bool start_object(std::size_t) override {
        if (depth_ > 0) return take_other();
        is_object_ = true;
        ++depth_;
        return true;
    }
    bool end_object() override {
        --depth_;
        return true;
    }
    bool key(string_t& name) override {
        if (auto known = check_name(name, {"inputs", "columns"}); !known) return refuse(known.error().detail);
        in_columns_ = name == "columns";
        if (in_columns_) {
            has_columns_ = true;
            out_.columns.clear();
        } else {
            has_inputs_ = true;
            out_.rows = 0;
            out_.features.clear();
        }
        return true;
    }
    bool start_array(std::size_t) override {
        if (depth_ == 0) return refuse("the body must be a JSON object");
        if (depth_ == kInRow || (in_columns_ && depth_ == kInList)) return take_other();
        if (depth_ == kInList) row_begins_ = out_.features.size();
        ++depth_;
        return true;
    }
    bool end_array() override {
        --depth_;
        if (in_columns_ || depth_ != kInList) return true;
        const std::size_t width = out_.features.size() - row_begins_;
        if (out_.rows > 0 && width != width_) return refuse_row("has another length than the first");
        width_ = width;
        if (++out_.rows > kMostRows)
            return refuse("inputs: more than " + std::to_string(kMostRows) +
                          " rows; ask in several requests");
        return true;
    }
    bool number_integer(number_integer_t value) override { return take(static_cast<double>(value)); }
    bool number_unsigned(number_unsigned_t value) override { return take(static_cast<double>(value)); }
    bool number_float(number_float_t value, const string_t&) override { return take(value); }
    bool string(string_t& value) override {
        if (!in_columns_ || depth_ != kInList) return take_other();
        out_.columns.push_back(value);
        return true;
    }
    bool null() override { return take_other(); }
    bool boolean(bool) override { return take_other(); }
    bool binary(binary_t&) override { return take_other(); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return refuse("the body must be a JSON object");
    }

  private:
    /// The answer takes many times the memory of its rows, since it names the probability of every class.
    static constexpr std::size_t kMostRows = 100'000;
    // Of lists and objects around a value.
    static constexpr int kInList = 2;
    static constexpr int kInRow = 3;

    bool refuse(std::string line) {
        problem_ = std::move(line);
        return false;
    }
    bool refuse_row(const std::string& what) {
        return refuse("inputs: row " + std::to_string(out_.rows + 1) + " " + what);
    }
    /// Refuses a value of the wrong type, in the words of its place.
    bool take_other() {
        if (depth_ == 0) return refuse("the body must be a JSON object");
        if (in_columns_) return refuse("columns: must be a list of names");
        if (depth_ < kInList) return refuse("inputs: must be a list of rows of numbers");
        return refuse_row(depth_ == kInList ? "is not a list" : "has a value that is not a number");
    }
    bool take(double value) {
        if (in_columns_ || depth_ != kInRow) return take_other();
        if (!(std::abs(value) <= std::numeric_limits<float>::max())) return take_other();
        const auto number = static_cast<float>(value);
        if (std::abs(number) > learning::kLargestFeature)
            return refuse_row("has a number that is too large: does it stand for a missing value?");
        out_.features.push_back(number);
        return true;
    }

    PredictionRequest& out_;
    std::string problem_;
    int depth_ = 0;
    bool is_object_ = false;
    bool has_inputs_ = false;
    bool has_columns_ = false;
    bool in_columns_ = false;
    std::size_t row_begins_ = 0;
    std::size_t width_ = 0;
};

}  // namespace

Result<PredictionRequest> read_prediction(const HttpRequest& request) {
    PredictionRequest out;
    if (const auto prior = request.query.find("prior"); prior != request.query.end()) {
        if (prior->second != "own" && prior->second != "uniform")
            return fail(ErrorCode::malformed, "prior: must be own or uniform");
        out.prior = prior->second == "own" ? learning::Prior::own : learning::Prior::uniform;
    }
    PredictionBody body(out);
    json::sax_parse(request.body.empty() ? std::string_view("{}") : std::string_view(request.body), &body);
    if (auto problem = body.problem(); !problem.empty())
        return fail(ErrorCode::malformed, std::move(problem));
    return out;
}

}  // namespace unlearn::daemon
