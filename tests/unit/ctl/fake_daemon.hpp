#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/local/stream_protocol.hpp>

#include "node/network/asio.hpp"

namespace unlearn::ctl {

/// Stands for unlearnd: answers each connection on a Unix socket with what `answer` makes of the request.
class FakeDaemon {
  public:
    struct Request {
        std::string verb;
        std::string target;
        std::string body;
    };
    struct Answer {
        int status = 200;
        std::string body;
        bool raw = false;  ///< `body` is all that goes over the socket, headers included
    };

    FakeDaemon(const std::filesystem::path& socket, std::function<Answer(const Request&)> answer);
    ~FakeDaemon();

    /// What was asked, in order; call it when no command runs.
    [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }

  private:
    void serve();

    boost::asio::io_context context_{1};
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::function<Answer(const Request&)> answer_;
    std::vector<Request> requests_;
    std::thread thread_;
};

}  // namespace unlearn::ctl
