#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "node/network/asio.hpp"

namespace unlearn::network {

/// Looks up the addresses of host names. libzmq would do it itself, with a blocking call on the one thread
/// that serves all connections: a name server that does not answer then holds up every peer.
///
/// Look-ups run on threads of their own, as many as limits.hpp allows. Names whose last look-up failed may
/// not take all of them. A look-up cannot be interrupted, so the threads may outlive the resolver by as long
/// as the system waits for name servers; nobody hears of what they find then. Thread-safe.
class Resolver {
  public:
    struct Answer {
        std::vector<std::string> addresses;  ///< numeric, IPv4 or IPv6 without brackets, the best one first
        std::string problem;                 ///< why there are none
    };
    using Done = std::function<void(const Answer&)>;

    /// A question whose caller still waits.
    class Question {
      public:
        Question(asio::io_context& io, Done done) : io_(&io), done_(std::move(done)) {}
        /// After this returns the answer is no longer wanted, and the io_context may go.
        void cancel();

      private:
        friend class Resolver;
        void answer(const Answer& answer);

        std::mutex mutex_;
        asio::io_context* io_;  ///< null once cancelled
        Done done_;
    };

    Resolver();
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// `done` is called on the thread of `io`, never from inside this call. A numeric address is its own
    /// answer. The caller must cancel the question before `io` is destroyed.
    [[nodiscard]] std::shared_ptr<Question> ask(const std::string& host, asio::io_context& io, Done done);

  private:
    struct State;
    static void start_threads(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

}  // namespace unlearn::network
