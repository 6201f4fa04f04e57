#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "node/ctl/outcome.hpp"
#include "node/runtime/network_statements_file.hpp"
#include "protocol/identity.hpp"

namespace unlearn::ctl {

/// Everything that a network's key has signed, in a file beside the key file: KEY.ledger. It holds no secret.
/// It is needed to give statements rising numbers, to list them, and to sign revocations again with the next
/// key.
class NetworkLedger {
  public:
    /// Loads the key and its ledger, if there is one.
    [[nodiscard]] static Outcome<NetworkLedger> open(const std::filesystem::path& key_file);

    [[nodiscard]] const protocol::Identity& key() const { return key_; }
    /// The network that the key signs for, if that is known. A key serves one network only.
    [[nodiscard]] const std::optional<protocol::NetworkId>& network() const { return network_; }
    /// @return bad_input when the key has signed for another network before
    [[nodiscard]] Outcome<void> use_network(const protocol::NetworkId& network);
    [[nodiscard]] const std::vector<runtime::NetworkFileStatement>& statements() const { return statements_; }

    /// Returns a number above all in the ledger. It is the time, so that numbers rise when a ledger was lost.
    [[nodiscard]] std::uint64_t next_number(protocol::WallTime now);
    void add(runtime::NetworkFileStatement statement) { statements_.push_back(std::move(statement)); }
    /// Writes the ledger, and replaces the older one.
    [[nodiscard]] Outcome<void> save() const;

  private:
    NetworkLedger(std::filesystem::path file, protocol::Identity key)
        : file_(std::move(file)), key_(std::move(key)) {}

    std::filesystem::path file_;
    protocol::Identity key_;
    std::optional<protocol::NetworkId> network_;
    std::vector<runtime::NetworkFileStatement> statements_;
    std::uint64_t last_number_ = 0;
};

}  // namespace unlearn::ctl
