#include "sim/report/text.hpp"

#include <cmath>

#include <spdlog/fmt/fmt.h>

namespace unlearn::sim::report {
namespace {

constexpr const char* kNoValue = "-";

}  // namespace

std::string escape_html(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                // SVG is XML, which does not allow control characters.
                result += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
        }
    }
    return result;
}

std::string grouped(std::uint64_t value) {
    std::string result = std::to_string(value);
    for (auto at = static_cast<std::ptrdiff_t>(result.size()) - 3; at > 0; at -= 3) {
        result.insert(static_cast<std::size_t>(at), ",");
    }
    return result;
}

std::string counted(std::uint64_t value, std::string_view noun) {
    return grouped(value) + " " + std::string(noun) + (value == 1 ? "" : "s");
}

std::string percent(double part) {
    return decimal(part * 100.0, 1);
}

std::string points(double difference) {
    if (std::isnan(difference)) return kNoValue;
    const double rounded = std::round(difference * 1000.0) / 10.0;
    return fmt::format("{:+.1f}", rounded == 0.0 ? 0.0 : rounded);  // never "-0.0"
}

std::string milliseconds(double value) {
    if (std::isnan(value)) return kNoValue;
    if (value >= 1000.0) return fmt::format("{:.2f} s", value / 1000.0);
    return fmt::format("{:.{}f} ms", value, value < 10.0 ? 2 : 1);
}

std::string seconds(double value) {
    if (std::isnan(value)) return kNoValue;
    if (value < 0.1) return milliseconds(value * 1000.0);
    if (value < 10.0) return fmt::format("{:.2f} s", value);
    if (value < 119.95) return fmt::format("{:.1f} s", value);
    const auto whole = static_cast<std::uint64_t>(std::llround(value));
    if (whole < 7200) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string bytes(double value) {
    if (std::isnan(value)) return kNoValue;
    constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
        value /= 1000.0;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string decimal(double value, int decimals) {
    if (std::isnan(value)) return kNoValue;
    return fmt::format("{:.{}f}", value, decimals);
}

std::string cut_to(const std::string& text, std::size_t most) {
    return text.size() <= most ? text : text.substr(0, most - 2) + "..";
}

std::string list(std::span<const std::string> names, std::size_t most) {
    std::string result;
    const std::size_t shown = names.size() <= most ? names.size() : most;
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) result += i + 1 == names.size() ? " and " : ", ";
        result += names[i];
    }
    if (shown < names.size()) result += fmt::format(" and {} more", names.size() - shown);
    return result;
}

}  // namespace unlearn::sim::report
