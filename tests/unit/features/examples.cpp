#include "tests/unit/features/examples.hpp"

#include "node/learning/data/random.hpp"

namespace unlearn::testing {

using namespace learning;

namespace {

// A rectangle of one brightness, within one channel.
void draw_rectangle(float* channel, const InputShape& shape, RandomStream& stream) {
    const auto height = static_cast<std::uint64_t>(shape.height);
    const auto width = static_cast<std::uint64_t>(shape.width);
    const std::uint64_t top = stream.below(height);
    const std::uint64_t left = stream.below(width);
    const std::uint64_t bottom = top + 1 + stream.below(height - top);
    const std::uint64_t right = left + 1 + stream.below(width - left);
    const float brightness = static_cast<float>(stream.below(256)) / 255.0F;
    for (std::uint64_t y = top; y < bottom; ++y) {
        for (std::uint64_t x = left; x < right; ++x)
            channel[y * width + x] = brightness;
    }
}

}  // namespace

LabelledData images(std::size_t count, const InputShape& shape, std::uint64_t seed) {
    RandomStream stream(seed);
    LabelledData data;
    data.count = count;
    data.shape = shape;
    const auto area = static_cast<std::size_t>(shape.height * shape.width);
    data.features.resize(count * static_cast<std::size_t>(shape.size()));
    for (float& pixel : data.features)
        pixel = static_cast<float>(stream.below(40)) / 255.0F;
    for (std::size_t channel = 0; channel < data.features.size() / area; ++channel) {
        draw_rectangle(data.features.data() + channel * area, shape, stream);
        draw_rectangle(data.features.data() + channel * area, shape, stream);
    }
    return data;
}

LabelledData rows(std::size_t count, std::int64_t columns, std::uint64_t seed) {
    RandomStream stream(seed);
    LabelledData data;
    data.count = count;
    data.shape = {1, 1, columns};
    data.features.resize(count * static_cast<std::size_t>(columns));
    for (float& value : data.features)
        value = static_cast<float>((stream.uniform() - 0.5) * 3.4641016151377544);
    return data;
}

}  // namespace unlearn::testing
