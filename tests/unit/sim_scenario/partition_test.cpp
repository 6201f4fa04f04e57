#include "sim/scenario/partition.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace {

using namespace unlearn::sim::scenario;

std::vector<std::int64_t> round_robin_labels(std::size_t count, std::int64_t classes) {
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i)
        labels.push_back(static_cast<std::int64_t>(i) % classes);
    return labels;
}

std::vector<std::string> names(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back("n" + std::to_string(i));
    return all;
}

std::set<std::int64_t> classes_of(const std::vector<std::size_t>& share,
                                  const std::vector<std::int64_t>& labels) {
    std::set<std::int64_t> classes;
    for (const std::size_t index : share)
        classes.insert(labels[index]);
    return classes;
}

PartitionKind any_kind() {
    switch (*rc::gen::inRange(0, 4)) {
        case 0:
            return IidPartition{};
        case 1:
            return DirichletPartition{static_cast<double>(*rc::gen::inRange(1, 50)) / 10.0};
        case 2:
            return ShardPartition{*rc::gen::inRange<std::size_t>(1, 4)};
        default:
            return MissingClassesPartition{*rc::gen::inRange<std::size_t>(0, 3)};
    }
}

}  // namespace

TEST_CASE("no example is in two shares, or in a share and the reference set, and every share is full") {
    CHECK(rc::check([] {
        const auto labels = round_robin_labels(4000, 10);
        const std::size_t nodes = *rc::gen::inRange<std::size_t>(1, 12);
        const PartitionRequest request{labels, 10, names(nodes), 100, 400, any_kind()};
        const auto partition = draw_partition(request, *rc::gen::arbitrary<std::uint64_t>());
        RC_ASSERT(partition.has_value());
        std::vector<std::size_t> all = partition->reference;
        RC_ASSERT(all.size() == std::size_t{400});
        for (const auto& share : partition->node_share) {
            RC_ASSERT(share.size() == std::size_t{100});
            RC_ASSERT(std::is_sorted(share.begin(), share.end()));
            all.insert(all.end(), share.begin(), share.end());
        }
        std::sort(all.begin(), all.end());
        RC_ASSERT(std::adjacent_find(all.begin(), all.end()) == all.end());
        RC_ASSERT(all.back() < labels.size());
    }));
}

TEST_CASE("a share belongs to the name, not to its place in the list") {
    CHECK(rc::check([] {
        const auto labels = round_robin_labels(2000, 5);
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        PartitionRequest request{labels, 5, names(6), 50, 100, any_kind()};
        const auto forward = draw_partition(request, seed);
        std::reverse(request.node_names.begin(), request.node_names.end());
        auto backward = draw_partition(request, seed);
        RC_ASSERT(forward.has_value() && backward.has_value());
        std::reverse(backward->node_share.begin(), backward->node_share.end());
        RC_ASSERT(forward->node_share == backward->node_share);
        RC_ASSERT(forward->reference == backward->reference);
    }));
}

TEST_CASE("the reference set is drawn first: nodes, sizes and kinds do not change it") {
    const auto labels = round_robin_labels(4000, 10);
    const auto few = draw_partition({labels, 10, names(2), 50, 300, IidPartition{}}, 9);
    const auto many = draw_partition({labels, 10, names(9), 120, 300, MissingClassesPartition{2}}, 9);
    const auto other = draw_partition({labels, 10, names(2), 50, 300, IidPartition{}}, 10);
    CHECK(few->reference == many->reference);
    CHECK(few->reference != other->reference);
    CHECK(few->node_share != other->node_share);
}

TEST_CASE("every node lacks as many classes as asked, and no class is missing at many nodes") {
    const auto labels = round_robin_labels(40'000, 10);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto partition =
            draw_partition({labels, 10, names(8), 3000, 10'000, MissingClassesPartition{2}}, seed);
        REQUIRE(partition);
        std::vector<int> present(10, 0);
        for (const auto& share : partition->node_share) {
            const auto classes = classes_of(share, labels);
            CHECK(classes.size() == 8);
            for (const std::int64_t c : classes)
                ++present[static_cast<std::size_t>(c)];
        }
        CHECK(*std::min_element(present.begin(), present.end()) >= 6);
    }
}

TEST_CASE("a small alpha makes nodes one-sided, a large one does not; shards limit the classes") {
    const auto labels = round_robin_labels(40'000, 10);
    const auto largest_share = [&](const PartitionKind& kind) {
        const auto partition = draw_partition({labels, 10, names(8), 1000, 0, kind}, 4);
        double sum = 0.0;
        for (const auto& share : partition->node_share) {
            std::vector<int> counts(10, 0);
            for (const std::size_t index : share)
                ++counts[static_cast<std::size_t>(labels[index])];
            sum += *std::max_element(counts.begin(), counts.end()) / 1000.0;
        }
        return sum / 8;
    };
    CHECK(largest_share(DirichletPartition{0.1}) > 0.5);
    CHECK(largest_share(DirichletPartition{100.0}) < 0.2);
    CHECK(largest_share(IidPartition{}) < 0.2);
    const auto shards = draw_partition({labels, 10, names(8), 1000, 0, ShardPartition{2}}, 4);
    for (const auto& share : shards->node_share)
        CHECK(classes_of(share, labels).size() <= 4);
}

TEST_CASE("an impossible partition says why") {
    const auto labels = round_robin_labels(100, 10);
    const auto error = [&](const PartitionRequest& request) {
        const auto partition = draw_partition(request, 1);
        return partition ? std::string() : partition.error().message;
    };
    CHECK(error({labels, 10, names(2), 45, 10, IidPartition{}}).empty());
    CHECK(error({labels, 10, names(2), 46, 10, IidPartition{}}) ==
          "partition: 100 examples are too few for a reference set of 10 and 46 for each of 2 nodes");
    CHECK(error({labels, 10, {"a", "b", "a"}, 1, 1, IidPartition{}}) ==
          "partition: node \"a\" is named twice");
    CHECK(error({labels, 9, names(2), 1, 1, IidPartition{}}).find("label 9 of example 9") !=
          std::string::npos);
    CHECK(error({labels, 10, {}, 1, 1, IidPartition{}}) == "partition: there are no nodes");
    CHECK_FALSE(error({labels, 10, names(2), 45, 10, MissingClassesPartition{10}}).empty());
    CHECK_FALSE(error({labels, 10, names(2), 45, 10, MissingClassesPartition{8}}).empty());
    CHECK_FALSE(error({labels, 10, names(2), 45, 10, DirichletPartition{0.0}}).empty());
    CHECK_FALSE(error({labels, 10, names(2), 45, 10, ShardPartition{0}}).empty());
}
