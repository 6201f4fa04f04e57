#include "topologies/formats/json_tree.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

namespace unlearn::topologies {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 64;

/// What the parser has read so far.
struct Position {
    std::size_t lines = 1;
    char last = ' ';
};

/// Walks over a text and counts the lines. The parser copies iterators, so the count is kept outside of them.
class CountingIterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, Position* position) : at_(at), position_(position) {}
    reference operator*() const { return *at_; }
    CountingIterator& operator++() {
        position_->last = *at_;
        position_->lines += *at_ == '\n' ? 1 : 0;
        ++at_;
        return *this;
    }
    CountingIterator operator++(int) {
        const CountingIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
    bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

  private:
    const char* at_;
    Position* position_;
};

/// Builds the tree from what nlohmann's parser reports.
class TreeBuilder final : public nlohmann::json_sax<json> {
  public:
    explicit TreeBuilder(const Position& position) : position_(position) {}

    bool null() override { return add(JsonValue::Kind::null, {}, position_.lines); }
    bool boolean(bool value) override {
        return add(JsonValue::Kind::boolean, value ? "true" : "false", position_.lines);
    }
    bool number_integer(number_integer_t value) override {
        return add(JsonValue::Kind::number, std::to_string(value), line_of_number());
    }
    bool number_unsigned(number_unsigned_t value) override {
        return add(JsonValue::Kind::number, std::to_string(value), line_of_number());
    }
    bool number_float(number_float_t, const string_t& written) override {
        return add(JsonValue::Kind::number, written, line_of_number());
    }
    bool string(string_t& value) override { return add(JsonValue::Kind::text, value, position_.lines); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(JsonValue::Kind::object); }
    bool start_array(std::size_t) override { return open(JsonValue::Kind::array); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& value) override {
        key_ = value;
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

    [[nodiscard]] JsonValue& root() { return root_; }
    [[nodiscard]] bool is_too_deep() const { return too_deep_; }

  private:
    /// The parser has already looked at one character after a number.
    [[nodiscard]] std::size_t line_of_number() const {
        return position_.last == '\n' ? position_.lines - 1 : position_.lines;
    }

    JsonValue& place() {
        if (open_.empty()) return root_;
        auto& members = open_.back()->members;
        members.emplace_back();
        members.back().key = std::exchange(key_, {});
        return members.back();
    }
    bool add(JsonValue::Kind kind, std::string text, std::size_t line) {
        JsonValue& value = place();
        value.kind = kind;
        value.line = line;
        value.text = std::move(text);
        return true;
    }
    bool open(JsonValue::Kind kind) {
        too_deep_ = open_.size() >= kMaxDepth;
        if (too_deep_) return false;
        JsonValue& value = place();
        value.kind = kind;
        value.line = position_.lines;
        // Nothing is added to the outer values until this one is closed, so the pointer stays valid.
        open_.push_back(&value);
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    const Position& position_;
    JsonValue root_;
    std::vector<JsonValue*> open_;
    std::string key_;
    bool too_deep_ = false;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.key == name; });
    return kind != JsonValue::Kind::object || found == members.end() ? nullptr : &*found;
}

Result<JsonValue> parse_json(std::string_view text, const GraphBuilder& builder) {
    Position position;
    TreeBuilder tree(position);
    const bool parsed = json::sax_parse(CountingIterator(text.data(), &position),
                                        CountingIterator(text.data() + text.size(), &position), &tree);
    if (tree.is_too_deep()) return builder.fail(position.lines, "is nested too deeply");
    if (!parsed) return builder.fail(position.lines, "is not JSON");
    return std::move(tree.root());
}

}  // namespace unlearn::topologies
