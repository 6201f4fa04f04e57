#include "node/learning/data/text_file.hpp"
#include "tests/fuzz/fuzz.hpp"

// What is said to be text, in any encoding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unlearn;
    const auto text = learning::decode_text(std::string(fuzz::text_of(data, size)), "text");
    if (!text) {
        fuzz::require_one_line(text.error().message);
        return 0;
    }
    fuzz::require(text->find('\r') == std::string::npos);
    const auto quoted = learning::shown(*text);
    fuzz::require(quoted.find('\n') == std::string::npos && quoted.size() < 400);
    // It is UTF-8 now, which is read as it stands.
    const auto again = learning::decode_text("\xEF\xBB\xBF" + *text, "text");
    fuzz::require(again && *again == *text);
    return 0;
}
