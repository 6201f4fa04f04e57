#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

/// Golden vectors: files in tests/golden that another implementation can use.
namespace unlearn::testing {

/// Reads tests/golden/NAME.
[[nodiscard]] inline nlohmann::json golden_vectors(const std::string& name) {
    const auto file = std::filesystem::path(UNLEARN_SOURCE_DIR) / "tests" / "golden" / name;
    std::ifstream in(file);
    REQUIRE_MESSAGE(in.good(), "cannot read " << file);
    return nlohmann::json::parse(in);
}

/// Holds what the code makes to tests/golden/NAME. UNLEARN_WRITE_GOLDEN=1 writes the file anew.
inline void check_golden(const std::string& name, const nlohmann::json& made) {
    const auto file = std::filesystem::path(UNLEARN_SOURCE_DIR) / "tests" / "golden" / name;
    if (std::getenv("UNLEARN_WRITE_GOLDEN") != nullptr) std::ofstream(file) << made.dump(1) << '\n';
    const auto expected = golden_vectors(name);
    for (const auto& item : expected.items()) {
        INFO(item.key());
        CHECK(made.at(item.key()) == item.value());
    }
    CHECK(made.size() == expected.size());
}

/// Returns bytes in hexadecimal, and back. The vectors are ours: other text is a mistake in them.
[[nodiscard]] inline std::string to_hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t byte : bytes)
        out += {kDigits[byte / 16U], kDigits[byte % 16U]};
    return out;
}
[[nodiscard]] inline std::vector<std::uint8_t> from_hex(const std::string& text) {
    REQUIRE(text.size() % 2 == 0);
    std::vector<std::uint8_t> out;
    for (std::size_t i = 0; i < text.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    return out;
}
/// Returns the bytes of float32 numbers as they are stored, in hexadecimal.
[[nodiscard]] inline std::string to_hex(std::span<const float> values) {
    std::vector<std::uint8_t> bytes(values.size_bytes());
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return to_hex(bytes);
}

}  // namespace unlearn::testing
