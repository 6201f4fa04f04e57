#include "node/learning/data/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include <nlohmann/json.hpp>

namespace unlearn::learning {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMaxDimensions = 8;
constexpr std::size_t kMaxNameBytes = 128;

static_assert(std::endian::native == std::endian::little, "safetensors stores little-endian numbers");

struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

// Quotes a name that came from a peer, short and printable.
std::string quoted(const std::string& name) {
    std::string shown;
    for (const char c : name.substr(0, 40))
        shown.push_back(c >= ' ' && c <= '~' ? c : '?');
    return "\"" + shown + "\"";
}

// Parses JSON and refuses what the parser would accept: duplicate keys, and nesting deeper than a header
// needs.
Result<nlohmann::json> parse_header(std::span<const std::uint8_t> text) {
    std::vector<std::set<std::string>> open_objects;
    std::string problem;
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        using Event = nlohmann::json::parse_event_t;
        if (depth > 3) problem = "header is nested too deeply";
        if (event == Event::object_start) open_objects.emplace_back();
        if (event == Event::object_end) open_objects.pop_back();
        if (event == Event::key && !open_objects.back().insert(parsed.get<std::string>()).second) {
            problem = "header names " + quoted(parsed.get<std::string>()) + " twice";
        }
        return problem.empty();
    };
    auto header = nlohmann::json::parse(text.begin(), text.end(), watch, false);
    if (!problem.empty()) return fail("safetensors: " + problem);
    if (header.is_discarded() || !header.is_object()) return fail("safetensors: header is not a JSON object");
    return header;
}

Result<Entry> parse_entry(const std::string& name, const nlohmann::json& value) {
    const auto wrong = [&](const std::string& what) {
        return fail("safetensors: tensor " + quoted(name) + what);
    };
    if (name.empty() || name.size() > kMaxNameBytes)
        return wrong(" has a name of a length that is not allowed");
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
        return wrong(" needs exactly dtype, shape and data_offsets");
    }
    if (value["dtype"] != "F32") return wrong(" is not of type F32");

    const auto& shape = value["shape"];
    if (!shape.is_array() || shape.empty() || shape.size() > kMaxDimensions)
        return wrong(" has an unusable shape");
    Entry entry{name, {}, 0, 0};
    constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
    std::uint64_t elements = 1;
    for (const auto& size : shape) {
        if (!size.is_number_unsigned() || size.get<std::uint64_t>() == 0 ||
            size.get<std::uint64_t>() > kMost / elements) {
            return wrong(" has an unusable shape");
        }
        elements *= size.get<std::uint64_t>();
        entry.shape.push_back(size.get<std::int64_t>());
    }

    const auto& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
        return wrong(" has unusable data_offsets");
    }
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    if (entry.end < entry.begin || entry.end - entry.begin != elements * sizeof(float)) {
        return wrong(" has data_offsets that do not fit its shape");
    }
    return entry;
}

Result<std::vector<Entry>> parse_entries(const nlohmann::json& header, std::uint64_t data_bytes) {
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
        auto entry = parse_entry(name, value);
        if (!entry) return tl::unexpected(entry.error());
        entries.push_back(std::move(*entry));
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
    std::uint64_t covered = 0;
    for (const Entry& entry : entries) {
        if (entry.begin != covered) {
            return fail("safetensors: there is a hole or an overlap before tensor " + quoted(entry.name));
        }
        covered = entry.end;
    }
    if (covered != data_bytes) {
        return fail("safetensors: tensors cover " + std::to_string(covered) + " of " +
                    std::to_string(data_bytes) + " bytes of data");
    }
    return entries;
}

}  // namespace

std::vector<std::uint8_t> write_safetensors(std::span<const NamedTensor> tensors) {
    auto header = nlohmann::ordered_json::object();
    std::size_t offset = 0;
    for (const NamedTensor& tensor : tensors) {
        const std::size_t end = offset + tensor.values.size() * sizeof(float);
        header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');

    std::vector<std::uint8_t> bytes(kLengthBytes + text.size() + offset);
    const std::uint64_t length = text.size();
    std::memcpy(bytes.data(), &length, kLengthBytes);
    std::memcpy(bytes.data() + kLengthBytes, text.data(), text.size());
    std::uint8_t* next = bytes.data() + kLengthBytes + text.size();
    for (const NamedTensor& tensor : tensors) {
        if (tensor.values.empty()) continue;
        std::memcpy(next, tensor.values.data(), tensor.values.size() * sizeof(float));
        next += tensor.values.size() * sizeof(float);
    }
    return bytes;
}

Result<std::vector<NamedTensor>> read_safetensors(std::span<const std::uint8_t> bytes,
                                                  const SafetensorsLimits& limits) {
    if (bytes.size() > limits.total_bytes) {
        return fail("safetensors: " + std::to_string(bytes.size()) + " bytes are more than the limit of " +
                    std::to_string(limits.total_bytes));
    }
    if (bytes.size() < kLengthBytes) return fail("safetensors: ends inside the header's length");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), kLengthBytes);
    if (length > limits.header_bytes) {
        return fail("safetensors: header of " + std::to_string(length) +
                    " bytes is longer than the limit of " + std::to_string(limits.header_bytes));
    }
    if (length > bytes.size() - kLengthBytes) return fail("safetensors: ends inside the header");
    if (length == 0 || bytes[kLengthBytes] != '{') return fail("safetensors: header does not begin with {");

    const auto header = parse_header(bytes.subspan(kLengthBytes, length));
    if (!header) return tl::unexpected(header.error());
    if (header->size() > limits.tensors) {
        return fail("safetensors: " + std::to_string(header->size()) +
                    " tensors are more than the limit of " + std::to_string(limits.tensors));
    }
    const auto data = bytes.subspan(kLengthBytes + length);
    const auto entries = parse_entries(*header, data.size());
    if (!entries) return tl::unexpected(entries.error());

    std::vector<NamedTensor> tensors;
    for (const Entry& entry : *entries) {
        NamedTensor tensor{entry.name, entry.shape,
                           std::vector<float>((entry.end - entry.begin) / sizeof(float))};
        std::memcpy(tensor.values.data(), data.data() + entry.begin, entry.end - entry.begin);
        if (!std::all_of(tensor.values.begin(), tensor.values.end(),
                         [](float v) { return std::isfinite(v); })) {
            return fail("safetensors: tensor " + quoted(entry.name) + " holds a number that is not finite");
        }
        tensors.push_back(std::move(tensor));
    }
    return tensors;
}

}  // namespace unlearn::learning
