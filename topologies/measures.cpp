#include "topologies/measures.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <Eigen/Eigenvalues>
#include <Eigen/SparseCore>
#include <Spectra/MatOp/SparseSymMatProd.h>
#include <Spectra/MatOp/SparseSymShiftSolve.h>
#include <Spectra/SymEigsShiftSolver.h>
#include <Spectra/SymEigsSolver.h>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/betweenness_centrality.hpp>
#include <boost/graph/biconnected_components.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/clustering_coefficient.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/filtered_graph.hpp>

namespace unlearn::topologies {
namespace {

using BoostGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, boost::no_property,
                                         boost::property<boost::edge_index_t, std::size_t>>;
/// Both directions of each edge in a compact form that is fast to traverse.
using PackedGraph = boost::compressed_sparse_row_graph<boost::directedS>;

/// Up to this size all eigenvalues are computed.
constexpr std::size_t kMostDense = 400;

BoostGraph boost_graph_of(const Graph& graph) {
    BoostGraph out(graph.size());
    std::size_t index = 0;
    for (const auto& [a, b] : graph.edges)
        boost::add_edge(a, b, index++, out);
    return out;
}

PackedGraph packed_graph_of(const Graph& graph) {
    std::vector<std::pair<std::size_t, std::size_t>> both;
    both.reserve(2 * graph.edges.size());
    for (const auto& [a, b] : graph.edges) {
        both.emplace_back(a, b);
        both.emplace_back(b, a);
    }
    std::sort(both.begin(), both.end());
    return {boost::edges_are_sorted, both.begin(), both.end(), graph.size()};
}

struct Distances {
    std::size_t most = 0;
    double mean = 0.0;
};

Distances distances_of(const PackedGraph& graph) {
    const std::size_t nodes = boost::num_vertices(graph);
    Distances out;
    double sum = 0.0;
    std::vector<std::size_t> hops(nodes);
    std::vector<boost::default_color_type> colours(nodes);
    const auto colour_map =
        boost::make_iterator_property_map(colours.begin(), boost::get(boost::vertex_index, graph));
    boost::queue<std::size_t> waiting;
    for (std::size_t from = 0; from < nodes; ++from) {
        std::fill(colours.begin(), colours.end(), boost::white_color);
        hops[from] = 0;
        boost::breadth_first_visit(
            graph, from, waiting,
            boost::make_bfs_visitor(boost::record_distances(
                boost::make_iterator_property_map(hops.begin(), boost::get(boost::vertex_index, graph)),
                boost::on_tree_edge())),
            colour_map);
        for (const std::size_t hop : hops) {
            sum += static_cast<double>(hop);
            out.most = std::max(out.most, hop);
        }
    }
    out.mean = sum / (static_cast<double>(nodes) * static_cast<double>(nodes - 1));
    return out;
}

double clustering_of(const Graph& graph) {
    const auto boost_graph = boost_graph_of(graph);
    std::vector<double> local(graph.size());
    const double mean = boost::all_clustering_coefficients(
        boost_graph,
        boost::make_iterator_property_map(local.begin(), boost::get(boost::vertex_index, boost_graph)));
    return std::isfinite(mean) ? mean : 0.0;
}

struct AllBut {
    std::size_t left_out = 0;
    bool operator()(std::size_t node) const { return node != left_out; }
};

ArticulationPoint what_is_left_without(std::size_t node, const BoostGraph& graph) {
    const boost::filtered_graph<BoostGraph, boost::keep_all, AllBut> rest(graph, {}, {node});
    std::vector<std::size_t> part_of(boost::num_vertices(graph));
    const auto parts = boost::connected_components(
        rest, boost::make_iterator_property_map(part_of.begin(), boost::get(boost::vertex_index, graph)));
    std::vector<std::size_t> sizes(parts, 0);
    for (std::size_t other = 0; other < part_of.size(); ++other)
        if (other != node) ++sizes[part_of[other]];
    const std::size_t largest = *std::max_element(sizes.begin(), sizes.end());
    return {static_cast<NodeIndex>(node), sizes.size(), part_of.size() - 1 - largest};
}

std::vector<ArticulationPoint> articulation_points_of(const Graph& graph) {
    const auto boost_graph = boost_graph_of(graph);
    std::vector<std::size_t> found;
    boost::articulation_points(boost_graph, std::back_inserter(found));
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::vector<ArticulationPoint> out;
    for (const std::size_t node : found)
        out.push_back(what_is_left_without(node, boost_graph));
    return out;
}

using SparseMatrix = Eigen::SparseMatrix<double>;

SparseMatrix mixing_matrix_of(const std::vector<MixingRow>& rows) {
    std::vector<Eigen::Triplet<double>> entries;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        entries.emplace_back(i, i, rows[i].own);
        for (const auto& [j, weight] : rows[i].neighbours)
            entries.emplace_back(i, j, weight);
    }
    SparseMatrix matrix(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows.size()));
    matrix.setFromTriplets(entries.begin(), entries.end());
    return matrix;
}

double dense_gap(const SparseMatrix& mixing) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::MatrixXd(mixing),
                                                                Eigen::EigenvaluesOnly);
    const auto& values = solver.eigenvalues();  // ascending
    const Eigen::Index n = values.size();
    return 1.0 - std::max(std::abs(values[0]), n > 1 ? std::abs(values[n - 2]) : 0.0);
}

/// Returns the second largest eigenvalue. If it is close to 1, Lanczos' method is slow, but the shifted
/// matrix of such a graph is factorised quickly. If it is not, it is the other way round.
std::optional<double> second_largest(const SparseMatrix& mixing) {
    constexpr double kTolerance = 1e-9;
    constexpr Eigen::Index kSteps = 60;
    constexpr Eigen::Index kRestarts = 60;
    {
        Spectra::SparseSymMatProd<double> product(mixing);
        Spectra::SymEigsSolver<Spectra::SparseSymMatProd<double>> solver(product, 2, kSteps);
        solver.init();
        solver.compute(Spectra::SortRule::LargestAlge, kRestarts, kTolerance);
        if (solver.info() == Spectra::CompInfo::Successful) return solver.eigenvalues()[1];
    }
    // The shift lies beyond the largest eigenvalue, so that the shifted matrix is not singular.
    constexpr double kShift = 1.0 + 1e-6;
    Spectra::SparseSymShiftSolve<double> shifted(mixing);
    Spectra::SymEigsShiftSolver<Spectra::SparseSymShiftSolve<double>> solver(shifted, 2, kSteps, kShift);
    solver.init();
    solver.compute(Spectra::SortRule::LargestMagn, 1000, kTolerance);
    if (solver.info() != Spectra::CompInfo::Successful) return std::nullopt;
    return solver.eigenvalues().minCoeff();
}

/// Returns a lower bound of the eigenvalues (Gershgorin, 1931): the own weight minus the weights of the
/// others, in the worst row.
double lower_bound_of(const std::vector<MixingRow>& rows) {
    double bound = 1.0;
    for (const auto& row : rows)
        bound = std::min(bound, 2.0 * row.own - 1.0);
    return bound;
}

std::optional<double> smallest(const SparseMatrix& mixing) {
    Spectra::SparseSymMatProd<double> product(mixing);
    Spectra::SymEigsSolver<Spectra::SparseSymMatProd<double>> solver(product, 1, 40);
    solver.init();
    solver.compute(Spectra::SortRule::SmallestAlge, 300, 1e-6);
    if (solver.info() != Spectra::CompInfo::Successful) return std::nullopt;
    return solver.eigenvalues()[0];
}

std::optional<double> spectral_gap_of(const Graph& graph) {
    const auto rows = metropolis_hastings(graph);
    const auto mixing = mixing_matrix_of(rows);
    if (graph.size() <= kMostDense) return std::max(0.0, dense_gap(mixing));
    const auto second = second_largest(mixing);
    if (!second) return std::nullopt;
    // The other end of the spectrum matters only if it may be farther from 0.
    if (*second >= -lower_bound_of(rows)) return std::max(0.0, 1.0 - *second);
    const auto last = smallest(mixing);
    if (!last) return std::nullopt;
    return std::max(0.0, 1.0 - std::max(std::abs(*second), std::abs(*last)));
}

}  // namespace

std::vector<MixingRow> metropolis_hastings(const Graph& graph) {
    const auto adjacency = graph.adjacency();
    std::vector<MixingRow> rows(graph.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (const NodeIndex j : adjacency[i]) {
            const double weight =
                1.0 / (1.0 + static_cast<double>(std::max(adjacency[i].size(), adjacency[j].size())));
            rows[i].neighbours.emplace_back(j, weight);
            rows[i].own -= weight;
        }
    }
    return rows;
}

std::vector<double> betweenness_of(const Graph& graph) {
    const auto packed = packed_graph_of(graph);
    std::vector<double> out(graph.size());
    const auto map = boost::make_iterator_property_map(out.begin(), boost::get(boost::vertex_index, packed));
    boost::brandes_betweenness_centrality(packed, map);
    // Boost counts each pair twice here, because the packed graph has every edge in both directions.
    const auto n = static_cast<double>(graph.size());
    for (double& value : out)
        value = n > 2 ? value / ((n - 1) * (n - 2)) : 0.0;
    return out;
}

Result<Measures> measure(const Graph& graph) {
    Measures out;
    out.nodes = graph.size();
    out.edges = graph.edges.size();
    const auto adjacency = graph.adjacency();
    const auto [least, most] = std::minmax_element(
        adjacency.begin(), adjacency.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    out.least_degree = least->size();
    out.most_degree = most->size();
    out.mean_degree = 2.0 * static_cast<double>(out.edges) / static_cast<double>(out.nodes);
    const auto distances = distances_of(packed_graph_of(graph));
    out.diameter = distances.most;
    out.average_path = distances.mean;
    out.clustering = clustering_of(graph);
    const auto gap = spectral_gap_of(graph);
    if (!gap) return tl::unexpected(Error{"the eigenvalues of the mixing matrix do not converge"});
    out.spectral_gap = *gap;
    out.betweenness = betweenness_of(graph);
    out.articulation_points = articulation_points_of(graph);
    return out;
}

}  // namespace unlearn::topologies
