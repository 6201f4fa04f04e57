#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "node/network/asio.hpp"

namespace unlearn::network {

/// Looks up the addresses of host names. libzmq would use a blocking call on the one thread that serves all
/// connections, so a name server that does not answer would hold up every peer.
///
/// Look-ups run on threads of their own, as many as limits.hpp allows. Names whose last look-up failed may
/// not take all of them. A look-up cannot be interrupted, so the threads may outlive the resolver for as long
/// as the system waits for name servers. Their results are then discarded. Thread-safe.
class Resolver {
  public:
    struct Answer {
        std::vector<std::string> addresses;  ///< numeric, IPv4 or IPv6 without brackets, best one first
        std::string problem;                 ///< why there are no addresses
    };
    using Done = std::function<void(const Answer&)>;

    /// A question whose caller is still waiting.
    class Question {
      public:
        Question(asio::io_context& io, Done done) : io_(&io), done_(std::move(done)) {}
        /// After this returns, the resolver no longer uses the io_context, which may be destroyed. An answer
        /// that was posted before may still be delivered.
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

    /// Calls `done` on the thread of `io`, never from inside this call. A numeric address is returned as it
    /// is. The caller must cancel the question before `io` is destroyed.
    [[nodiscard]] std::shared_ptr<Question> ask(const std::string& host, asio::io_context& io, Done done);

  private:
    struct State;
    static void start_threads(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

}  // namespace unlearn::network
