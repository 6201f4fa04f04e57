#include "tests/unit/learning/synthetic.hpp"

#include <cstring>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "node/learning/data/random.hpp"

namespace synthetic {

using namespace unlearn::learning;

LabelledData points(std::size_t per_class, std::uint64_t seed, double noise,
                    const std::vector<std::int64_t>& classes) {
    LabelledData data;
    data.shape = {1, 4, 4};
    data.class_names = {"north", "east", "south", "west"};
    RandomStream centres(99);
    std::vector<float> centre(kClasses * 16);
    for (float& value : centre)
        value = static_cast<float>(centres.uniform());
    RandomStream random(seed);
    for (std::size_t i = 0; i < per_class; ++i) {
        for (const std::int64_t label : classes) {
            for (std::size_t pixel = 0; pixel < 16; ++pixel) {
                const double moved =
                    centre[static_cast<std::size_t>(label) * 16 + pixel] + noise * random.normal();
                data.features.push_back(static_cast<float>(moved));
            }
            data.labels.push_back(label);
        }
    }
    data.count = data.labels.size();
    return data;
}

ReferenceSet reference() {
    return ReferenceSet::from_table(points(60, 1234));
}

Architecture architecture(const std::string& text) {
    return *parse_architecture(text);
}

TrainOptions quick_training() {
    TrainOptions options;
    options.optimisation = {.epochs = 8, .batch = 16, .learning_rate = 1e-2};
    return options;
}

DistilOptions quick_distilling() {
    DistilOptions options;
    options.optimisation = {.epochs = 12, .batch = 16, .learning_rate = 1e-2};
    return options;
}

Node make_node(std::uint64_t name, const std::vector<std::int64_t>& classes, const std::string& main,
               const std::string& seed) {
    const std::string text = "node-" + std::to_string(name);
    const auto own = Dataset::from_table(points(40, 1000 + name, 0.35, classes));
    const auto split = split_validation(own, 0.2, stream_seed(1, text, "validation"));
    auto model = train(architecture(main), split.train, quick_training(),
                       make_generator(stream_seed(1, text, "main")));
    REQUIRE(model);
    const auto distilled = distil(*model, reference(), architecture(seed), quick_distilling(),
                                  make_generator(stream_seed(1, text, "seed")));
    REQUIRE(distilled);
    return {OwnPart::make(*model, own, split.validation, reference()), distilled->payload()};
}

MemberId id(std::uint8_t number) {
    MemberId all{};
    all[0] = number;
    return all;
}

std::shared_ptr<Member> member(std::uint8_t number, const Node& node, const OwnPart& holder,
                               const std::string& seed) {
    auto made = Member::from_payload(id(number), 1, seed, node.payload, holder);
    REQUIRE_MESSAGE(made, made.error().message);
    return *made;
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
    const auto left = a.contiguous();
    const auto right = b.contiguous();
    return left.sizes() == right.sizes() &&
           std::memcmp(left.data_ptr(), right.data_ptr(), left.nbytes()) == 0;
}

}  // namespace synthetic
