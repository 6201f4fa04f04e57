#include "node/learning/data/text_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include <boost/locale/encoding_utf.hpp>

#include "node/learning/data/gzip_file.hpp"

namespace unlearn::learning {
namespace {

namespace utf = boost::locale::utf;

enum class ByteOrder { little, big };

/// The encoding of a text that begins with these bytes. A mark must stand before the shorter one with which
/// it begins.
struct Mark {
    std::string_view bytes;
    std::size_t unit = 1;  ///< bytes of a code unit
    ByteOrder order = ByteOrder::little;
};
constexpr std::array<Mark, 5> kMarks{{{"\xEF\xBB\xBF", 1, ByteOrder::little},
                                      {{"\xFF\xFE\0\0", 4}, 4, ByteOrder::little},
                                      {{"\0\0\xFE\xFF", 4}, 4, ByteOrder::big},
                                      {"\xFF\xFE", 2, ByteOrder::little},
                                      {"\xFE\xFF", 2, ByteOrder::big}}};

/// A file format that people mistake for text.
struct Foreign {
    std::string_view begins;
    std::string_view what;
};
constexpr std::array<Foreign, 3> kForeign{
    {{"PK\x03\x04", "is a spreadsheet or another zip archive, not text; save it as CSV"},
     {"\xD0\xCF\x11\xE0", "is an old spreadsheet, not text; save it as CSV"},
     {"PAR1", "is a Parquet file, not text; save it as CSV"}}};

template <typename Unit>
Result<std::string> converted(std::string_view bytes, ByteOrder order, std::string_view name) {
    const std::string encoding = "UTF-" + std::to_string(8 * sizeof(Unit));
    if (bytes.size() % sizeof(Unit) != 0)
        return fail(std::string(name) + ": is cut off: it is " + encoding + " and ends inside a character");
    std::basic_string<Unit> units(bytes.size() / sizeof(Unit), Unit{});
    for (std::size_t i = 0; i < units.size(); ++i) {
        std::uint32_t unit = 0;
        for (std::size_t byte = 0; byte < sizeof(Unit); ++byte) {
            const std::size_t place = order == ByteOrder::big ? byte : sizeof(Unit) - 1 - byte;
            unit = unit << 8U | static_cast<unsigned char>(bytes[i * sizeof(Unit) + place]);
        }
        units[i] = static_cast<Unit>(unit);
    }
    try {
        return boost::locale::conv::utf_to_utf<char>(units, boost::locale::conv::stop);
    } catch (const boost::locale::conv::conversion_error&) {
        return fail(std::string(name) + ": begins like " + encoding + ", and is not valid " + encoding);
    }
}

/// Returns the first place that is not valid UTF-8, or nullptr.
const char* first_illegal(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const char* const begin = at;
        const auto point = utf::utf_traits<char>::decode(at, end);
        if (point == utf::illegal || point == utf::incomplete) return begin;
    }
    return nullptr;
}

/// Makes all lines end in LF. They may end in LF, CRLF or CR.
void end_lines_in_lf(std::string& text) {
    if (text.find('\r') == std::string::npos) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool before_lf = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
        if (!before_lf) text[kept++] = text[i] == '\r' ? '\n' : text[i];
    }
    text.resize(kept);
}

Result<std::string> checked_utf8(std::string text, std::string_view name) {
    end_lines_in_lf(text);
    const auto line_of = [&](std::size_t place) {
        return std::string(name) + ":" +
               std::to_string(
                   1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(place), '\n')) +
               ": ";
    };
    if (const auto zero = text.find('\0'); zero != std::string::npos)
        return fail(line_of(zero) +
                    "holds a zero byte: it is not text, or UTF-16 without a byte-order mark; "
                    "save it as UTF-8");
    if (const char* illegal = first_illegal(text)) {
        constexpr const char* kDigits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(*illegal);
        return fail(line_of(static_cast<std::size_t>(illegal - text.data())) + "is not UTF-8 (byte 0x" +
                    kDigits[byte / 16] + kDigits[byte % 16] +
                    "); it may be Latin-1 or Windows-1252: save it as UTF-8");
    }
    return text;
}

}  // namespace

Result<std::string> decode_text(std::string bytes, std::string_view name) {
    for (const Foreign& foreign : kForeign)
        if (bytes.starts_with(foreign.begins))
            return fail(std::string(name) + ": " + std::string(foreign.what));
    const auto mark = std::find_if(kMarks.begin(), kMarks.end(),
                                   [&](const Mark& one) { return bytes.starts_with(one.bytes); });
    if (mark == kMarks.end()) return checked_utf8(std::move(bytes), name);
    if (mark->unit == 1) return checked_utf8(bytes.substr(mark->bytes.size()), name);
    const auto rest = std::string_view(bytes).substr(mark->bytes.size());
    auto text = mark->unit == 2 ? converted<char16_t>(rest, mark->order, name)
                                : converted<char32_t>(rest, mark->order, name);
    if (!text) return text;
    return checked_utf8(std::move(*text), name);
}

Result<std::string> read_whole(const std::filesystem::path& path) {
    auto file = GzipFile::open(path);
    if (!file) return tl::unexpected(file.error());
    std::string bytes;
    std::vector<std::uint8_t> step(std::size_t{1} << 20);
    for (;;) {
        const auto got = file->read(step);
        if (!got) return tl::unexpected(got.error());
        bytes.append(step.begin(), step.begin() + static_cast<std::ptrdiff_t>(*got));
        if (bytes.size() > kMaxWholeFile) return fail(path.string() + ": is larger than 1 GiB");
        if (*got < step.size()) return bytes;
    }
}

Result<std::string> read_text_file(const std::filesystem::path& path) {
    auto bytes = read_whole(path);
    if (!bytes) return bytes;
    return decode_text(std::move(*bytes), path.string());
}

std::string shown(std::string_view text) {
    constexpr std::size_t kMost = 40;
    std::string out = "\"";
    for (const char c : text.substr(0, kMost))
        out += static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? '?' : c;
    return out + (text.size() > kMost ? "...\"" : "\"");
}

}  // namespace unlearn::learning
