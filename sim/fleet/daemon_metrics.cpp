#include "sim/fleet/daemon_metrics.hpp"

#include <cstdlib>
#include <iterator>
#include <string_view>

#include "node/network/asio.hpp"
// Must follow node/network/asio.hpp, which says why.
#include <boost/asio/local/stream_protocol.hpp>

#include "protocol/messages.hpp"

namespace unlearn::sim::fleet {
namespace {

constexpr std::chrono::seconds kPatience{10};

/// Returns the number after `unlearnd_NAME{direction="sent",kind="KIND"}`, or 0 if there is none.
std::uint64_t sample(std::string_view metrics, const std::string& name, std::string_view kind) {
    const std::string start =
        "\nunlearnd_" + name + "{direction=\"sent\",kind=\"" + std::string(kind) + "\"} ";
    const auto found = metrics.find(start);
    if (found == std::string_view::npos) return 0;
    const std::string number(metrics.substr(found + start.size(), 32));
    return static_cast<std::uint64_t>(std::strtod(number.c_str(), nullptr));
}

std::vector<network::TrafficCount> sent_in(std::string_view metrics) {
    std::vector<network::TrafficCount> out(network::TrafficCounters::kKinds);
    for (const auto& row : protocol::kMessageKinds)
        out[static_cast<std::size_t>(row.kind)] = {sample(metrics, "messages_total", row.name),
                                                   sample(metrics, "bytes_total", row.name)};
    return out;
}

}  // namespace

Result<std::vector<network::TrafficCount>> ask_traffic(const std::filesystem::path& socket) {
    asio::local::stream_protocol::iostream stream;
    stream.expires_after(kPatience);
    stream.connect(asio::local::stream_protocol::endpoint(socket.string()));
    stream << "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" << std::flush;
    const std::string answer{std::istreambuf_iterator<char>(stream), {}};
    if (!answer.starts_with("HTTP/1.1 200"))
        return failed_with(socket.string() + ": unlearnd shows no metrics");
    return sent_in(answer);
}

}  // namespace unlearn::sim::fleet
