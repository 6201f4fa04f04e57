#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "node/learning/distillation.hpp"
#include "node/learning/ensemble/ensemble.hpp"
#include "node/learning/generator.hpp"

// A small world that trains in a blink: points around one centre per class, seen as images of 1 x 4 x 4
// pixels.
namespace synthetic {

constexpr std::int64_t kClasses = 4;

unlearn::learning::LabelledData points(std::size_t per_class, std::uint64_t seed, double noise = 0.35,
                                       const std::vector<std::int64_t>& classes = {0, 1, 2, 3});

unlearn::learning::ReferenceSet reference();

struct Node {
    std::shared_ptr<const unlearn::learning::OwnPart> own;
    std::vector<std::uint8_t> payload;
};

unlearn::learning::Architecture architecture(const std::string& text);
unlearn::learning::TrainOptions quick_training();
unlearn::learning::DistilOptions quick_distilling();

// Trains and distils a node named by a number, on data of these classes.
Node make_node(std::uint64_t name, const std::vector<std::int64_t>& classes = {0, 1, 2, 3},
               const std::string& main = "mlp:16", const std::string& seed = "mlp:10");

unlearn::learning::MemberId id(std::uint8_t number);

std::shared_ptr<unlearn::learning::Member> member(std::uint8_t number, const Node& node,
                                                  const unlearn::learning::OwnPart& holder,
                                                  const std::string& seed = "mlp:10");

// The tensor's numbers, bit by bit.
bool same_bits(const at::Tensor& a, const at::Tensor& b);

}  // namespace synthetic
