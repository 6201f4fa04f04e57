#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "node/ctl/outcome.hpp"

namespace unlearn::ctl {

/// Speaks HTTP/1.1 with JSON bodies to one unlearnd over its Unix socket; docs/control-api.md has the paths.
///
/// Calls block, and each uses a connection of its own. Every failure is one line: `unreachable` when no
/// daemon answers, `bad_input` for 400 and 422, and `failed` for everything else that the daemon refuses,
/// with the daemon's own words.
class ControlClient {
  public:
    /// How long a call may take when no other time is given.
    static constexpr std::chrono::seconds kTimeout{60};
    /// The most bytes of an answer. A larger one does not come from unlearnd.
    static constexpr std::size_t kMaxAnswerBytes = std::size_t{256} << 20;

    /// Each call waits up to `patience` for a daemon that is not there yet or says that it is starting. Users
    /// and scripts start unlearnd and call it at once.
    explicit ControlClient(std::filesystem::path socket,
                           std::chrono::milliseconds patience = std::chrono::milliseconds{0})
        : socket_(std::move(socket)), patience_(patience) {}

    [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
    /// Returns a client that does not wait, for a daemon that was there before: once it is gone, it does not
    /// come back soon.
    [[nodiscard]] ControlClient without_patience() const { return ControlClient(socket_); }

    [[nodiscard]] Outcome<nlohmann::json> get(std::string_view target,
                                              std::chrono::seconds timeout = kTimeout) const;
    [[nodiscard]] Outcome<nlohmann::json> post(std::string_view target, const nlohmann::json& body,
                                               std::chrono::seconds timeout = kTimeout) const;
    [[nodiscard]] Outcome<nlohmann::json> remove(std::string_view target,
                                                 std::chrono::seconds timeout = kTimeout) const;

    /// Calls `on_line` for each line of an endless answer, as it arrives. Ends when `on_line` returns false,
    /// or with `unreachable` when the daemon closes the connection.
    [[nodiscard]] Outcome<void> stream(std::string_view target,
                                       const std::function<bool(std::string_view)>& on_line) const;

  private:
    struct Connection;

    [[nodiscard]] Outcome<std::unique_ptr<Connection>> connect(std::chrono::seconds timeout) const;
    [[nodiscard]] Outcome<void> stream_once(std::string_view target,
                                            const std::function<bool(std::string_view)>& on_line) const;
    [[nodiscard]] Outcome<nlohmann::json> request(std::string_view verb, std::string_view target,
                                                  const std::string& body,
                                                  std::chrono::seconds timeout) const;
    [[nodiscard]] Outcome<nlohmann::json> request_once(std::string_view verb, std::string_view target,
                                                       const std::string& body,
                                                       std::chrono::seconds timeout) const;

    std::filesystem::path socket_;
    std::chrono::milliseconds patience_;
};

}  // namespace unlearn::ctl
