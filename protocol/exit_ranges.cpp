#include "protocol/exit_ranges.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <optional>

namespace unlearn::protocol {
namespace {

/// Stands for fingerprints in the place of a number of ids.
constexpr std::uint8_t kPartsFollow = 255;

/// Reads the parts of a byte string, one after the other.
class PartReader {
  public:
    explicit PartReader(ByteView bytes) : left_(bytes) {}
    [[nodiscard]] bool at_end() const { return left_.empty(); }
    /// Returns the next `count` bytes, or nothing when there are fewer.
    [[nodiscard]] std::optional<ByteView> take(std::size_t count) {
        if (count > left_.size()) return std::nullopt;
        const ByteView out = left_.first(count);
        left_ = left_.subspan(count);
        return out;
    }
    /// Appends `count` values. @return false when there are fewer
    template <typename T>
    [[nodiscard]] bool take_into(std::vector<T>& out, std::size_t count) {
        const auto bytes = take(count * T::kSize);
        for (std::size_t i = 0; bytes && i < count; ++i)
            out.push_back(*T::from(bytes->subspan(i * T::kSize, T::kSize)));
        return bytes.has_value();
    }

  private:
    ByteView left_;
};

}  // namespace

Bytes range_bytes(const std::vector<IdRange>& ranges) {
    Bytes out;
    for (const auto& range : ranges) {
        out.push_back(range.digits);
        out.insert(out.end(), range.first.value.begin(), range.first.value.begin() + (range.digits + 1) / 2);
    }
    return out;
}

Result<std::vector<IdRange>> ranges_in(ByteView bytes) {
    PartReader reader(bytes);
    std::vector<IdRange> ranges;
    while (!reader.at_end()) {
        const std::uint8_t digits = (*reader.take(1))[0];
        const auto prefix = digits > kIdDigits ? std::nullopt : reader.take((digits + 1U) / 2U);
        if (!prefix || ranges.size() == kMaxRangesAsked)
            return fail(ErrorCode::malformed, "query: bad range");
        IdRange range{{}, digits};
        std::copy(prefix->begin(), prefix->end(), range.first.value.begin());
        if (range != IdRange::around(range.first, digits))
            return fail(ErrorCode::malformed, "query: range with digits beyond its end");
        if (!ranges.empty() && range.first <= ranges.back().last())
            return fail(ErrorCode::malformed, "query: ranges that overlap or are out of order");
        ranges.push_back(range);
    }
    return ranges;
}

Bytes answer_bytes(const std::vector<RangeAnswer>& answers) {
    Bytes out;
    for (const auto& answer : answers) {
        if (answer.occupied == 0) {
            out.push_back(static_cast<std::uint8_t>(answer.ids.size()));
            append_all(out, answer.ids);
            continue;
        }
        out.push_back(kPartsFollow);
        out.push_back(static_cast<std::uint8_t>(answer.occupied));
        out.push_back(static_cast<std::uint8_t>(answer.occupied >> 8U));
        append_all(out, answer.parts);
    }
    return out;
}

Result<std::vector<RangeAnswer>> answers_in(ByteView bytes) {
    PartReader reader(bytes);
    std::vector<RangeAnswer> answers;
    while (!reader.at_end()) {
        if (answers.size() == kMaxRangesAsked) return fail(ErrorCode::malformed, "answer: too many ranges");
        RangeAnswer& answer = answers.emplace_back();
        const std::uint8_t lead = (*reader.take(1))[0];
        bool whole = lead <= kMaxListedIds && reader.take_into(answer.ids, lead);
        if (lead == kPartsFollow) {
            const auto occupied = reader.take(2);
            if (occupied) answer.occupied = static_cast<std::uint16_t>((*occupied)[0] | (*occupied)[1] << 8);
            whole = answer.occupied != 0 &&
                    reader.take_into(answer.parts, static_cast<std::size_t>(std::popcount(answer.occupied)));
        }
        if (!whole) return fail(ErrorCode::malformed, "answer: bad range");
        if (std::adjacent_find(answer.ids.begin(), answer.ids.end(), std::greater_equal<>()) !=
            answer.ids.end())
            return fail(ErrorCode::malformed, "answer: ids out of order");
    }
    return answers;
}

}  // namespace unlearn::protocol
