#include <cstring>
#include <functional>
#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "node/learning/data/architecture.hpp"
#include "tests/support/golden.hpp"

/// The vectors of tests/golden/seeds.json: the tensors of architectures, payloads, and what must be refused.

namespace {

using namespace unlearn::learning;
using namespace unlearn::testing;
using nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

struct Question {
    std::string architecture;
    InputShape shape;
    std::int64_t classes = 3;
};

json to_json(const Question& question) {
    return {{"architecture", question.architecture},
            {"input_shape", {question.shape.channels, question.shape.height, question.shape.width}},
            {"classes", question.classes}};
}

Question question_of(const json& vector) {
    const auto& shape = vector["input_shape"];
    return {vector["architecture"], {shape[0], shape[1], shape[2]}, vector["classes"]};
}

/// Returns the tensors of such a seed, or nothing when there is none.
std::optional<std::vector<TensorShape>> tensors_of(const Question& question) {
    const auto architecture = parse_architecture(question.architecture, kSeedArchitectures);
    if (!architecture) return std::nullopt;
    CHECK(architecture->text() == question.architecture);
    const auto shapes = expected_tensors(*architecture, question.shape, question.classes, kSeedLimits);
    return shapes ? std::optional(*shapes) : std::nullopt;
}

bool is_taken(const Question& question, const Bytes& payload) {
    return check_seed_payload(question.architecture, question.shape, question.classes, payload).has_value();
}

/// Small whole numbers, so that all sums are exact in any order.
std::vector<NamedTensor> numbered(const std::vector<TensorShape>& shapes) {
    std::vector<NamedTensor> tensors;
    int next = 0;
    for (const auto& one : shapes) {
        NamedTensor tensor{one.name, one.shape, {}};
        for (std::int64_t i = 0; i < one.elements(); ++i, ++next)
            tensor.values.push_back(static_cast<float>(next * 7 % 5 - 2));
        tensors.push_back(std::move(tensor));
    }
    return tensors;
}

json architecture_vector(const Question& question) {
    const auto shapes = tensors_of(question);
    REQUIRE_MESSAGE(shapes.has_value(), question.architecture);
    json out = to_json(question);
    std::int64_t weights = 0;
    for (const auto& tensor : *shapes) {
        out["tensors"].push_back({{"name", tensor.name}, {"shape", tensor.shape}});
        weights += tensor.elements();
    }
    out["weights"] = weights;
    return out;
}

json seed_vector(const Question& question) {
    const auto tensors = numbered(tensors_of(question).value());
    json out = to_json(question);
    out["payload"] = to_hex(write_safetensors(tensors));
    for (const auto& tensor : tensors)
        out["values"].push_back(to_hex(tensor.values));
    return out;
}

/// A file with this header, not padded, and this many bytes of zeros.
Bytes file_with(const std::string& header, std::size_t data_bytes) {
    Bytes bytes(8 + header.size() + data_bytes);
    const std::uint64_t length = header.size();
    std::memcpy(bytes.data(), &length, 8);
    std::copy(header.begin(), header.end(), bytes.begin() + 8);
    return bytes;
}

std::string entry(const std::string& name, const std::string& shape, const std::string& offsets,
                  const std::string& type = "F32") {
    return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape +
           ",\"data_offsets\":" + offsets + "}";
}

/// `linear` on two columns with two classes: out.weight [2, 2] and out.bias [2], 24 bytes.
const Question kLinear{"linear", {1, 1, 2}, 2};
const std::string kWeight = entry("out.weight", "[2,2]", "[0,16]");
const std::string kBias = entry("out.bias", "[2]", "[16,24]");
constexpr std::size_t kValues = 24;

Bytes linear_with(float first) {
    Bytes bytes = file_with("{" + kWeight + "," + kBias + "}", kValues);
    std::memcpy(bytes.data() + bytes.size() - kValues, &first, sizeof first);
    return bytes;
}

struct Payload {
    std::string what;
    Bytes bytes;
};

std::vector<Payload> taken_payloads() {
    return {{"a header that is not padded", file_with("{" + kWeight + "," + kBias + "}", kValues)},
            {"names in another order", file_with("{" + kBias + "," + kWeight + "}", kValues)},
            {"blanks between and behind", file_with("{ " + kWeight + " ,\n" + kBias + " }\n\t ", kValues)},
            {"a weight of 10000", linear_with(10'000.0F)},
            {"a weight of -10000", linear_with(-10'000.0F)},
            {"a subnormal weight", linear_with(std::numeric_limits<float>::denorm_min())}};
}

std::vector<Payload> refused_payloads() {
    const auto with = [](const std::string& header, std::size_t data_bytes = kValues) {
        return file_with(header, data_bytes);
    };
    const auto pair = [&](const std::string& weight, const std::string& bias) {
        return with("{" + weight + "," + bias + "}");
    };
    const Bytes good = pair(kWeight, kBias);
    Bytes cut(good.begin(), good.end() - 1);
    Bytes longer = good;
    longer.push_back(0);
    Bytes beyond = good;
    std::fill_n(beyond.begin(), 8, std::uint8_t{0xff});
    return {
        {"empty", {}},
        {"ends in the header's length", Bytes(good.begin(), good.begin() + 7)},
        {"ends in the header", Bytes(good.begin(), good.begin() + 20)},
        {"a header longer than the file", beyond},
        {"a byte of values is missing", cut},
        {"a byte too many", longer},
        {"a blank before the header", with(" {" + kWeight + "," + kBias + "}")},
        {"text behind the header", with("{" + kWeight + "," + kBias + "} x")},
        {"an array as header", with("[1]", 0)},
        {"no tensor", with("{}", 0)},
        {"metadata", with("{\"__metadata__\":{\"by\":\"me\"}," + kWeight + "," + kBias + "}")},
        {"a tensor twice", with("{" + kWeight + "," + kBias + "," + kBias + "}")},
        {"a key twice in a tensor",
         pair("\"out.weight\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}",
              kBias)},
        {"a further key in a tensor",
         pair("\"out.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16],\"x\":1}", kBias)},
        {"nested too deeply", pair(kWeight, entry("out.bias", "[[[[2]]]]", "[16,24]"))},
        {"double precision", pair(entry("out.weight", "[2,2]", "[0,16]", "F64"), kBias)},
        {"half precision", pair(entry("out.weight", "[2,4]", "[0,16]", "F16"), kBias)},
        {"a size that is written as a fraction", pair(entry("out.weight", "[2.0,2]", "[0,16]"), kBias)},
        {"a size that is negative", pair(entry("out.weight", "[-2,-2]", "[0,16]"), kBias)},
        {"an offset that is written as a fraction", pair(kWeight, entry("out.bias", "[2]", "[16.0,24]"))},
        {"an overlap", pair(kWeight, entry("out.bias", "[2]", "[12,20]"))},
        {"a hole", with("{" + kWeight + "," + entry("out.bias", "[2]", "[20,28]") + "}", kValues + 4)},
        {"offsets that do not fit the shape", pair(entry("out.weight", "[2,2]", "[0,20]"), kBias)},
        {"an empty tensor", with("{" + kWeight + "," + kBias + "," + entry("x", "[0]", "[24,24]") + "}")},
        {"a scalar",
         with("{" + kWeight + "," + kBias + "," + entry("x", "[]", "[24,28]") + "}", kValues + 4)},
        {"a tensor too many",
         with("{" + kWeight + "," + kBias + "," + entry("x", "[1]", "[24,28]") + "}", kValues + 4)},
        {"a tensor is missing", with("{" + kWeight + "}", 16)},
        {"another name", pair(kWeight, entry("bias", "[2]", "[16,24]"))},
        {"another shape", pair(entry("out.weight", "[4]", "[0,16]"), kBias)},
        {"values in another order",
         pair(entry("out.bias", "[2]", "[0,8]"), entry("out.weight", "[2,2]", "[8,24]"))},
        {"a weight that is not a number", linear_with(std::numeric_limits<float>::quiet_NaN())},
        {"an infinite weight", linear_with(std::numeric_limits<float>::infinity())},
        {"a weight beyond 10000", linear_with(10'000.001F)},
        {"a weight beyond -10000", linear_with(-10'000.001F)},
    };
}

const std::vector<Question> kArchitectures{{"linear", {1, 1, 5}},
                                           {"mlp:32", {1, 28, 28}, 10},
                                           {"mlp:64x32x8", {1, 1, 5}},
                                           {"cnn:16x32", {1, 28, 28}, 10},
                                           {"cnn:16x32+64", {1, 28, 28}, 10},
                                           {"cnn:2x3+4", {3, 7, 5}},
                                           {"resnet:8x12+1", {1, 28, 28}, 10},
                                           {"resnet:4x4x6+2", {3, 5, 9}},
                                           {"resnet:2+1", {1, 1, 1}, 2}};
/// "mlp:1248" has 999,658 weights there, and "mlp:1249" 1,000,459.
const std::vector<Question> kRefusedArchitectures{
    {"", {1, 1, 5}},
    {"linear:3", {1, 1, 5}},
    {"Linear", {1, 1, 5}},
    {"mlp", {1, 1, 5}},
    {"mlp:", {1, 1, 5}},
    {"mlp:032", {1, 1, 5}},
    {"mlp:+32", {1, 1, 5}},
    {"mlp:0", {1, 1, 5}},
    {"mlp:4097", {1, 1, 5}},
    {"mlp:32 ", {1, 1, 5}},
    {"mlp:8x", {1, 1, 5}},
    {"mlp:8+4", {1, 1, 5}},
    {"mlp:1x1x1x1x1x1x1x1x1", {1, 1, 5}},
    {"cnn:8+0", {1, 8, 8}},
    {"cnn:8+", {1, 8, 8}},
    {"cnn:8+4+4", {1, 8, 8}},
    {"cnn:8", {1, 1, 5}},
    {"cnn:8x8x8", {1, 7, 7}},
    {"resnet:8x12", {1, 8, 8}},
    {"resnet:8+33", {1, 8, 8}},
    {"lstm:8", {1, 1, 5}},
    {"linear", {1, 1, 5}, 1},
    {"linear", {1, 1, 5}, 1001},
    {"linear", {0, 1, 5}},
    {"mlp:1249", {1, 1, 790}, 10},
    {"resnet:2x2x2+32", {1, 8, 8}},
};

json make_vectors() {
    json out;
    for (const auto& question : kArchitectures)
        out["architectures"].push_back(architecture_vector(question));
    out["architectures"].push_back(architecture_vector({"mlp:1248", {1, 1, 790}, 10}));
    for (const auto& question : kRefusedArchitectures)
        out["refused_architectures"].push_back(to_json(question));
    for (const Question& question :
         {Question{"linear", {1, 1, 2}, 2}, Question{"mlp:3x2", {1, 1, 2}, 2},
          Question{"cnn:2", {1, 5, 4}, 2}, Question{"cnn:2x2+3", {2, 5, 4}, 2},
          Question{"resnet:2x4+2", {1, 3, 3}, 2}, Question{"resnet:9+1", {1, 2, 3}, 2}})
        out["seeds"].push_back(seed_vector(question));
    for (const auto& [key, payloads] :
         {std::pair("taken_payloads", taken_payloads()), std::pair("refused_payloads", refused_payloads())})
        for (const auto& payload : payloads) {
            json vector = to_json(kLinear);
            vector["what"] = payload.what;
            vector["payload"] = to_hex(payload.bytes);
            out[key].push_back(std::move(vector));
        }
    return out;
}

TEST_CASE("seeds are what tests/golden/seeds.json says") {
    check_golden("seeds.json", make_vectors());
}

TEST_CASE("what tests/golden/seeds.json calls taken is taken, and what it calls refused is refused") {
    const auto golden = golden_vectors("seeds.json");
    const auto answer = [](const json& vector) {
        const auto bytes = from_hex(vector["payload"].get<std::string>());
        return is_taken(question_of(vector), bytes);
    };
    for (const auto& vector : golden["seeds"])
        CHECK_MESSAGE(answer(vector), vector["architecture"]);
    for (const auto& vector : golden["taken_payloads"])
        CHECK_MESSAGE(answer(vector), vector["what"]);
    for (const auto& vector : golden["refused_payloads"])
        CHECK_MESSAGE(!answer(vector), vector["what"]);
    for (const auto& vector : golden["refused_architectures"])
        CHECK_MESSAGE(!tensors_of(question_of(vector)), vector.dump());
    CHECK(golden["refused_payloads"].size() == refused_payloads().size());
    CHECK(golden["refused_architectures"].size() == kRefusedArchitectures.size());
}

TEST_CASE("files beyond the limits of seeds are refused: they are too large for tests/golden") {
    const std::string tensors = "{" + kWeight + "," + kBias + "}";
    constexpr std::size_t kMostHeader = 65'536;
    CHECK(is_taken(kLinear, file_with(tensors + std::string(kMostHeader - tensors.size(), ' '), kValues)));
    CHECK_FALSE(
        is_taken(kLinear, file_with(tensors + std::string(kMostHeader + 1 - tensors.size(), ' '), kValues)));
}

}  // namespace
