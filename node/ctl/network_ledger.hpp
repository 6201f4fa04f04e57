#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

#include "node/ctl/outcome.hpp"
#include "node/runtime/network_statements_file.hpp"
#include "node/storage/files.hpp"
#include "protocol/identity.hpp"

namespace unlearn::ctl {

/// Everything that a network's key has signed, in a file beside the key file: KEY.ledger. It holds no secret.
/// It is needed to give statements rising numbers, to list them, and to sign revocations again with the next
/// key.
class NetworkLedger {
  public:
    /// Loads the key and its ledger, if there is one. Waits for another command that signs with the key: none
    /// of both must be lost.
    [[nodiscard]] static Outcome<NetworkLedger> open(const std::filesystem::path& key_file);

    [[nodiscard]] const protocol::Identity& key() const { return key_; }
    /// The network that the key signs for, if that is known. A key serves one network only.
    [[nodiscard]] const std::optional<protocol::NetworkId>& network() const { return network_; }
    /// @return bad_input when the key has signed for another network before
    [[nodiscard]] Outcome<void> use_network(const protocol::NetworkId& network);
    [[nodiscard]] const std::vector<runtime::NetworkFileStatement>& statements() const { return statements_; }
    /// The statement by which this key named the next one, and that one.
    [[nodiscard]] std::optional<runtime::NetworkFileStatement> succession() const;
    [[nodiscard]] std::optional<protocol::NodeId> next_key() const;
    /// True when the statement by which this key became the network's is here.
    [[nodiscard]] bool is_successor() const;
    /// The members that this key has expelled.
    [[nodiscard]] std::set<protocol::NodeId> expelled() const;

    /// Returns a number above all in the ledger. It is the time, so that numbers rise when a ledger was lost.
    [[nodiscard]] std::uint64_t next_number(protocol::WallTime now);
    void add(runtime::NetworkFileStatement statement) { statements_.push_back(std::move(statement)); }
    /// Writes the ledger, and replaces the older one.
    [[nodiscard]] Outcome<void> save() const;

  private:
    NetworkLedger(std::filesystem::path file, protocol::Identity key, storage::FileDescriptor lock)
        : file_(std::move(file)), key_(std::move(key)), lock_(std::move(lock)) {}

    std::filesystem::path file_;
    protocol::Identity key_;
    storage::FileDescriptor lock_;  ///< of the key file
    std::optional<protocol::NetworkId> network_;
    std::vector<runtime::NetworkFileStatement> statements_;
    std::uint64_t last_number_ = 0;
};

}  // namespace unlearn::ctl
