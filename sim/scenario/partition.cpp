#include "sim/scenario/partition.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "node/learning/data/assert.hpp"

namespace unlearn::sim::scenario {
namespace {

using Indices = std::vector<std::size_t>;
using Counts = std::vector<std::size_t>;

std::string plural(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// Distributes `total` in proportion to the weights, by largest remainders; ties go to the lower index.
Counts apportion(std::size_t total, const std::vector<double>& weights) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    Counts counts(weights.size(), 0);
    if (!(sum > 0.0)) return counts;
    std::vector<std::pair<double, std::size_t>> remainders;
    std::size_t given = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double exact = static_cast<double>(total) * weights[i] / sum;
        counts[i] = static_cast<std::size_t>(exact);
        given += counts[i];
        if (weights[i] > 0.0) remainders.emplace_back(static_cast<double>(counts[i]) - exact, i);
    }
    std::sort(remainders.begin(), remainders.end());
    for (std::size_t i = 0; given < total; i = (i + 1) % remainders.size(), ++given)
        ++counts[remainders[i].second];
    return counts;
}

// The examples of each class that no node has taken yet, in an order drawn once.
class ClassPools {
  public:
    ClassPools(std::span<const std::int64_t> labels, const Indices& pool, std::int64_t classes,
               learning::RandomStream& random)
        : pools_(static_cast<std::size_t>(classes)) {
        for (const std::size_t index : pool)
            pools_[static_cast<std::size_t>(labels[index])].push_back(index);
        for (Indices& one : pools_)
            random.shuffle(std::span(one));
    }

    [[nodiscard]] std::size_t left(std::size_t label) const { return pools_[label].size(); }
    [[nodiscard]] std::size_t classes() const { return pools_.size(); }

    void take(std::size_t label, std::size_t count, Indices& share) {
        Indices& pool = pools_[label];
        UNLEARN_ASSERT(count <= pool.size());
        share.insert(share.end(), pool.end() - static_cast<std::ptrdiff_t>(count), pool.end());
        pool.resize(pool.size() - count);
    }

    // Takes examples in proportion to the weights, as far as the pools reach. What a class lacks is taken
    // from the node's other classes in proportion. Returns how many examples could not be given.
    std::size_t take_weighted(std::size_t count, std::vector<double> weights, Indices& share) {
        while (count > 0) {
            for (std::size_t c = 0; c < classes(); ++c) {
                if (left(c) == 0) weights[c] = 0.0;
            }
            const Counts wanted = apportion(count, weights);
            const std::size_t before = share.size();
            for (std::size_t c = 0; c < classes(); ++c)
                take(c, std::min(wanted[c], left(c)), share);
            if (share.size() == before) return count;
            count -= share.size() - before;
        }
        return 0;
    }

  private:
    std::vector<Indices> pools_;
};

struct Draw {
    const PartitionRequest& request;
    const std::vector<std::string>& names;  ///< sorted
    const Indices& pool;
    learning::RandomStream& random;
    StreamSource& streams;
};

using Shares = std::vector<Indices>;

learning::Result<Shares> draw(const IidPartition&, const Draw& d) {
    Indices pool = d.pool;
    d.random.shuffle(std::span(pool));
    Shares shares;
    for (auto next = pool.begin(); shares.size() < d.names.size();) {
        const auto end = next + static_cast<std::ptrdiff_t>(d.request.examples_per_node);
        shares.emplace_back(next, end);
        next = end;
    }
    return shares;
}

learning::Result<Shares> draw(const DirichletPartition& kind, const Draw& d) {
    if (!(kind.alpha > 0.0) || !std::isfinite(kind.alpha))
        return learning::fail("dirichlet: alpha must be a positive number");
    ClassPools pools(d.request.labels, d.pool, d.request.class_count, d.random);
    Shares shares(d.names.size());
    for (std::size_t n = 0; n < d.names.size(); ++n) {
        learning::RandomStream mixture(d.streams.seed(d.names[n], "partition-mixture"));
        std::vector<double> weights(pools.classes());
        // The tiny constant keeps every class possible, so that a node whose classes have run out can take
        // others.
        for (double& weight : weights)
            weight = mixture.gamma(kind.alpha) + 1e-12;
        const std::size_t lacking = pools.take_weighted(d.request.examples_per_node, weights, shares[n]);
        UNLEARN_ASSERT(lacking == 0);
    }
    return shares;
}

learning::Result<Shares> draw(const ShardPartition& kind, const Draw& d) {
    const std::size_t per_node = kind.shards_per_node;
    if (per_node == 0 || per_node > d.request.examples_per_node) {
        return learning::fail("shards: a node needs at least 1 shard and at least one example in each");
    }
    Indices chosen = d.pool;
    d.random.shuffle(std::span(chosen));
    chosen.resize(d.names.size() * d.request.examples_per_node);
    std::stable_sort(chosen.begin(), chosen.end(),
                     [&](std::size_t a, std::size_t b) { return d.request.labels[a] < d.request.labels[b]; });
    Indices order(d.names.size() * per_node);
    std::iota(order.begin(), order.end(), std::size_t{0});
    d.random.shuffle(std::span(order));
    std::vector<std::size_t> slot_of(order.size());  // the slot of each shard: node * per_node + turn
    for (std::size_t slot = 0; slot < order.size(); ++slot)
        slot_of[order[slot]] = slot;
    Shares shares(d.names.size());
    auto next = chosen.begin();
    for (const std::size_t slot : slot_of) {
        // A node's first shards are longer by one if its examples do not divide evenly.
        const std::size_t size = d.request.examples_per_node / per_node +
                                 (slot % per_node < d.request.examples_per_node % per_node ? 1 : 0);
        Indices& share = shares[slot / per_node];
        share.insert(share.end(), next, next + static_cast<std::ptrdiff_t>(size));
        next += static_cast<std::ptrdiff_t>(size);
    }
    return shares;
}

learning::Result<Shares> draw(const MissingClassesPartition& kind, const Draw& d) {
    ClassPools pools(d.request.labels, d.pool, d.request.class_count, d.random);
    const std::size_t classes = pools.classes();
    if (kind.missing_per_node >= classes) {
        return learning::fail("missing-classes: a node cannot lack " + std::to_string(kind.missing_per_node) +
                              " of " + std::to_string(classes) + " classes");
    }
    Indices nodes(d.names.size());
    std::iota(nodes.begin(), nodes.end(), std::size_t{0});
    d.random.shuffle(std::span(nodes));
    Indices order(classes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    d.random.shuffle(std::span(order));

    Shares shares(d.names.size());
    for (std::size_t turn = 0; turn < nodes.size(); ++turn) {
        std::vector<double> weights(classes, 1.0);
        for (std::size_t m = 0; m < kind.missing_per_node; ++m) {
            weights[order[(turn * kind.missing_per_node + m) % classes]] = 0.0;
        }
        Indices& share = shares[nodes[turn]];
        if (const std::size_t lacking = pools.take_weighted(d.request.examples_per_node, weights, share);
            lacking > 0) {
            return learning::fail("missing-classes: the classes of node \"" + d.names[nodes[turn]] +
                                  "\" have " + plural(lacking, "example") + " too few left");
        }
    }
    return shares;
}

learning::Result<void> check(const PartitionRequest& request, const std::vector<std::string>& sorted_names) {
    if (request.node_names.empty()) return learning::fail("partition: there are no nodes");
    if (const auto twice = std::adjacent_find(sorted_names.begin(), sorted_names.end());
        twice != sorted_names.end()) {
        return learning::fail("partition: node \"" + *twice + "\" is named twice");
    }
    if (request.examples_per_node == 0)
        return learning::fail("partition: every node needs at least one example");
    for (std::size_t i = 0; i < request.labels.size(); ++i) {
        if (request.labels[i] < 0 || request.labels[i] >= request.class_count) {
            return learning::fail("partition: label " + std::to_string(request.labels[i]) + " of example " +
                                  std::to_string(i) + " is not below the class count " +
                                  std::to_string(request.class_count));
        }
    }
    const std::size_t available = request.labels.size();
    const bool enough =
        request.reference_examples <= available &&
        request.examples_per_node <= (available - request.reference_examples) / request.node_names.size();
    if (!enough) {
        return learning::fail(
            "partition: " + std::to_string(available) + " examples are too few for a reference set of " +
            std::to_string(request.reference_examples) + " and " + std::to_string(request.examples_per_node) +
            " for each of " + plural(request.node_names.size(), "node"));
    }
    return {};
}

}  // namespace

learning::Result<Partition> draw_partition(const PartitionRequest& request, StreamSource& streams) {
    std::vector<std::string> names = request.node_names;
    std::sort(names.begin(), names.end());
    if (auto fine = check(request, names); !fine) return tl::unexpected(fine.error());

    Indices everything(request.labels.size());
    std::iota(everything.begin(), everything.end(), std::size_t{0});
    learning::RandomStream reference_random(streams.seed("", "reference-set"));
    reference_random.shuffle(std::span(everything));
    const auto held_out = everything.begin() + static_cast<std::ptrdiff_t>(request.reference_examples);
    Partition partition;
    partition.reference.assign(everything.begin(), held_out);
    Indices pool(held_out, everything.end());
    std::sort(partition.reference.begin(), partition.reference.end());
    std::sort(pool.begin(), pool.end());

    learning::RandomStream random(streams.seed("", "partition"));
    const Draw context{request, names, pool, random, streams};
    auto shares = std::visit([&](const auto& kind) { return draw(kind, context); }, request.kind);
    if (!shares) return tl::unexpected(shares.error());
    for (const std::string& name : request.node_names) {
        const auto at = std::lower_bound(names.begin(), names.end(), name) - names.begin();
        Indices& share = (*shares)[static_cast<std::size_t>(at)];
        std::sort(share.begin(), share.end());
        partition.node_share.push_back(std::move(share));
    }
    return partition;
}

learning::Result<Partition> draw_partition(const PartitionRequest& request, std::uint64_t scenario_seed) {
    NamedStreams streams(scenario_seed);
    return draw_partition(request, streams);
}

}  // namespace unlearn::sim::scenario
