#include "node/learning/data/idx.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace unlearn;

void read(const std::string& images, const std::string& labels, const std::vector<std::string>& classes) {
    const auto loaded = learning::load_idx(images, labels, classes);
    if (!loaded) return fuzz::require_one_line(loaded.error().message);
    fuzz::require(loaded->features.size() == loaded->count * static_cast<std::size_t>(loaded->shape.size()));
    fuzz::require(loaded->labels.size() == loaded->count);
    for (const auto label : loaded->labels)
        fuzz::require(label >= 0 && static_cast<std::size_t>(label) < loaded->class_names.size());
}

}  // namespace

// The first half is read as images, the second as labels; then all of it as images.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::MemoryFile images(data, size / 2);
    const fuzz::MemoryFile labels(data + size / 2, size - size / 2);
    read(images.path(), labels.path(), {"0", "1", "2", "3", "7", "200"});
    read(images.path(), labels.path(), {});
    read(images.path(), labels.path(), {"cat", "dog"});

    const auto parsed = learning::parse_idx_images("images", {data, size});
    if (!parsed) {
        fuzz::require_one_line(parsed.error().message);
        return 0;
    }
    fuzz::require(parsed->pixels.size() == parsed->count * static_cast<std::size_t>(parsed->shape.size()));
    return 0;
}
