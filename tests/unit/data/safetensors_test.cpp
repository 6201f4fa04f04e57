#include "node/learning/data/safetensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace {

using namespace unlearn::learning;
using Bytes = std::vector<std::uint8_t>;

// A file with this header and as many bytes of data, all zero.
Bytes file_with(const std::string& header, std::size_t data_bytes) {
    Bytes bytes(8 + header.size() + data_bytes);
    const std::uint64_t length = header.size();
    std::memcpy(bytes.data(), &length, 8);
    std::copy(header.begin(), header.end(), bytes.begin() + 8);
    return bytes;
}

std::string error_for(const Bytes& bytes, const SafetensorsLimits& limits = {}) {
    const auto tensors = read_safetensors(bytes, limits);
    return tensors ? "" : tensors.error().message;
}

bool mentions(const std::string& message, const std::string& part) {
    return message.find(part) != std::string::npos;
}

std::string entry(const std::string& name, const std::string& shape, const std::string& offsets,
                  const std::string& type = "F32") {
    return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape +
           ",\"data_offsets\":" + offsets + "}";
}

}  // namespace

TEST_CASE("what is written is read back, and equal tensors give equal bytes") {
    const std::vector<NamedTensor> tensors{{"z", {2, 3}, {1, 2, 3, 4, 5, -6.5F}}, {"a", {1}, {0.25F}}};
    const auto bytes = write_safetensors(tensors);
    CHECK(bytes == write_safetensors(tensors));
    CHECK(bytes.size() % 4 == 0);
    const auto read = read_safetensors(bytes);
    REQUIRE(read);
    REQUIRE(read->size() == 2);
    CHECK((*read)[0].name == "z");
    CHECK((*read)[0].shape == tensors[0].shape);
    CHECK((*read)[0].values == tensors[0].values);
    CHECK((*read)[1].values == tensors[1].values);
    CHECK(write_safetensors(*read) == bytes);
}

TEST_CASE("offsets must cover the data exactly") {
    const std::string good = "{" + entry("a", "[2]", "[0,8]") + "," + entry("b", "[1]", "[8,12]") + "}";
    CHECK(error_for(file_with(good, 12)).empty());
    CHECK(mentions(error_for(file_with(good, 16)), "12 of 16 bytes"));
    CHECK(mentions(error_for(file_with(good, 8)), "12 of 8 bytes"));
    const std::string hole = "{" + entry("a", "[2]", "[0,8]") + "," + entry("b", "[1]", "[12,16]") + "}";
    CHECK(mentions(error_for(file_with(hole, 16)), "hole or an overlap before tensor \"b\""));
    const std::string overlap = "{" + entry("a", "[2]", "[0,8]") + "," + entry("b", "[1]", "[4,8]") + "}";
    CHECK(mentions(error_for(file_with(overlap, 8)), "hole or an overlap"));
    CHECK(mentions(error_for(file_with("{" + entry("a", "[2]", "[8,0]") + "}", 8)), "do not fit its shape"));
    CHECK(mentions(error_for(file_with("{" + entry("a", "[3]", "[0,8]") + "}", 8)), "do not fit its shape"));
    CHECK(mentions(error_for(file_with("{" + entry("a", "[2]", "[0,18446744073709551615]") + "}", 8)),
                   "do not fit"));
}

TEST_CASE("a header that tries to deceive is refused") {
    CHECK(mentions(
        error_for(file_with("{" + entry("a", "[2]", "[0,8]") + "," + entry("a", "[2]", "[0,8]") + "}", 8)),
        "names \"a\" twice"));
    CHECK(mentions(error_for(file_with("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],"
                                       "\"data_offsets\":[0,8]}}",
                                       8)),
                   "twice"));
    CHECK(mentions(error_for(file_with("{\"__metadata__\":{\"x\":\"y\"}}", 0)), "needs exactly"));
    CHECK(
        mentions(error_for(file_with("{" + entry("a", "[2]", "[0,8]", "F64") + "}", 8)), "not of type F32"));
    for (const std::string shape : {"[]", "[0]", "[-2]", "[2.0]", "[\"2\"]", "{}",
                                    "[4294967296,4294967296,4294967296]", "[1,1,1,1,1,1,1,1,2]"}) {
        CHECK(mentions(error_for(file_with("{" + entry("a", shape, "[0,8]") + "}", 8)), "unusable shape"));
    }
    CHECK(mentions(error_for(file_with("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}", 0)),
                   "nested too deeply"));
    CHECK(mentions(error_for(file_with("{\"a\":1} x", 0)), "not a JSON object"));
    CHECK(mentions(error_for(file_with("[1]", 0)), "does not begin with {"));
    CHECK(mentions(error_for(file_with(" {}", 0)), "does not begin with {"));
}

TEST_CASE("limits hold before anything is allocated") {
    Bytes long_header(8);
    const std::uint64_t length = std::numeric_limits<std::uint64_t>::max();
    std::memcpy(long_header.data(), &length, 8);
    CHECK(mentions(error_for(long_header), "longer than the limit"));
    CHECK(mentions(error_for(Bytes(7)), "ends inside the header's length"));
    Bytes cut = file_with("{}", 0);
    cut.pop_back();
    CHECK(mentions(error_for(cut), "ends inside the header"));
    CHECK(mentions(error_for(file_with("{}", 100), {.total_bytes = 99}), "more than the limit of 99"));
    const std::string two = "{" + entry("a", "[1]", "[0,4]") + "," + entry("b", "[1]", "[4,8]") + "}";
    CHECK(mentions(error_for(file_with(two, 8), {.tensors = 1}), "2 tensors are more than"));
}

TEST_CASE("numbers that are not finite are refused") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        const std::vector<NamedTensor> tensors{{"w", {3}, {0.0F, bad, 1.0F}}};
        CHECK(mentions(error_for(write_safetensors(tensors)), "\"w\" holds a number that is not finite"));
    }
}

TEST_CASE("no damage to a file makes the reader crash") {
    const std::vector<NamedTensor> tensors{{"hidden1.weight", {3, 2}, {1, 2, 3, 4, 5, 6}},
                                           {"out", {2}, {7, 8}}};
    const auto good = write_safetensors(tensors);
    CHECK(rc::check([&] {
        Bytes bytes = good;
        for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<std::uint8_t>();
        }
        bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 8));
        const auto read = read_safetensors(bytes);
        if (read) RC_ASSERT(read->size() <= bytes.size());
    }));
}
