#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <expat.h>

#include "topologies/formats/readers.hpp"

// GraphML, read with Expat.
namespace unlearn::topologies {
namespace {

/// Takes the elements of one document as the parser finds them.
class GraphmlReader {
  public:
    explicit GraphmlReader(GraphBuilder& builder)
        : builder_(builder), parser_(XML_ParserCreate(nullptr), &XML_ParserFree) {
        XML_SetUserData(parser_.get(), this);
        XML_SetElementHandler(
            parser_.get(),
            [](void* self, const XML_Char* name, const XML_Char** attributes) {
                static_cast<GraphmlReader*>(self)->begin(name, attributes);
            },
            [](void* self, const XML_Char*) { static_cast<GraphmlReader*>(self)->end(); });
    }

    Result<Graph> read(std::string_view text) {
        // Parses in parts, because the parser counts in int and because a broken file fails early.
        constexpr std::size_t kPart = std::size_t{1} << 20;
        for (bool last = false; !last;) {
            const auto part = text.substr(0, kPart);
            text.remove_prefix(part.size());
            last = text.empty();
            const auto status =
                XML_Parse(parser_.get(), part.data(), static_cast<int>(part.size()), last ? 1 : 0);
            if (problem_) return tl::unexpected(*problem_);
            if (status == XML_STATUS_ERROR)
                return builder_.fail(line(), XML_ErrorString(XML_GetErrorCode(parser_.get())));
        }
        if (!has_graph_) return builder_.fail(0, "holds no graphml.graph");
        // Edges may come before the nodes that they link.
        for (const Edge& edge : edges_)
            if (auto added = builder_.link_known(edge.source, edge.target, edge.line); !added)
                return tl::unexpected(added.error());
        return builder_.finish();
    }

  private:
    struct Edge {
        std::string source;
        std::string target;
        std::size_t line = 0;
    };

    [[nodiscard]] std::size_t line() const {
        return static_cast<std::size_t>(XML_GetCurrentLineNumber(parser_.get()));
    }
    void refuse(const std::string& what) {
        if (problem_) return;
        problem_ = builder_.fail(line(), what).value();
        XML_StopParser(parser_.get(), XML_FALSE);
    }
    static std::optional<std::string> attribute(const XML_Char** attributes, std::string_view name) {
        for (; *attributes != nullptr; attributes += 2)
            if (name == attributes[0]) return attributes[1];
        return std::nullopt;
    }

    /// Returns the name without the prefix of its namespace.
    static std::string_view local(std::string_view name) {
        const auto colon = name.find(':');
        return colon == std::string_view::npos ? name : name.substr(colon + 1);
    }

    void begin(std::string_view name, const XML_Char** attributes) {
        if (problem_) return;
        ++depth_;
        const auto element = local(name);
        if (depth_ == 1 && element != "graphml")
            return refuse("is not GraphML: it begins with <" + printable(name) + ">");
        if (element == "graph") return begin_graph(attributes);
        if (!in_graph_) return;
        if (element == "node") return begin_node(attributes);
        if (element == "edge") return begin_edge(attributes);
        if (element == "hyperedge") return refuse("a hyperedge links more than two nodes and cannot be kept");
    }
    void end() {
        --depth_;
        if (in_graph_ && depth_ < graph_depth_) in_graph_ = false;
    }

    void begin_graph(const XML_Char** attributes) {
        if (in_graph_) return refuse("a graph within a graph would be lost");
        if (has_graph_) return refuse("a second graph begins here; a file holds one");
        has_graph_ = true;
        in_graph_ = true;
        graph_depth_ = depth_;
        if (attribute(attributes, "edgedefault").value_or("undirected") != "undirected")
            refuse("the graph is directed");
    }

    void begin_node(const XML_Char** attributes) {
        const auto id = attribute(attributes, "id");
        if (!id) return refuse("a node without an id");
        if (auto added = builder_.declare(*id, line()); !added) {
            problem_ = added.error();
            XML_StopParser(parser_.get(), XML_FALSE);
        }
    }

    void begin_edge(const XML_Char** attributes) {
        const auto source = attribute(attributes, "source");
        const auto target = attribute(attributes, "target");
        if (!source || !target) return refuse("an edge without source or target");
        if (attribute(attributes, "directed").value_or("false") != "false")
            return refuse("an edge that is directed, in an undirected graph");
        if (edges_.size() >= GraphBuilder::kMaxEdges) return refuse("has more than 20 million edges");
        edges_.push_back({*source, *target, line()});
    }

    GraphBuilder& builder_;
    std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser_;
    std::size_t depth_ = 0;
    std::size_t graph_depth_ = 0;
    bool in_graph_ = false;
    bool has_graph_ = false;
    std::vector<Edge> edges_;
    std::optional<Error> problem_;
};

}  // namespace

Result<Graph> read_graphml(std::string_view text, GraphBuilder& builder) {
    return GraphmlReader(builder).read(text);
}

}  // namespace unlearn::topologies
