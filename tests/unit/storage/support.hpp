#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "node/storage/store.hpp"
#include "protocol/durable.hpp"
#include "tests/support/temporary_folder.hpp"

struct sqlite3;

namespace unlearn::storage::testing {

using unlearn::testing::content_of;
using unlearn::testing::TemporaryFolder;

/// The same node for the same number.
[[nodiscard]] protocol::NodeId node(std::uint32_t number);
/// Some statement, different for each text.
[[nodiscard]] protocol::SignedBytes statement(std::string_view text);
/// Bytes without any pattern, the same for the same number.
[[nodiscard]] protocol::SharedSeedBytes payload(std::uint64_t number, std::size_t size);
[[nodiscard]] protocol::PutHeldSeed held(std::uint32_t owner, std::uint64_t version, std::size_t size = 5000);
[[nodiscard]] protocol::PutTombstone tombstone(std::uint32_t owner, std::string_view text = "notice");

[[nodiscard]] Binding binding();
/// Opens, or fails the test with the error.
[[nodiscard]] std::unique_ptr<Store> open(const std::filesystem::path& directory);
[[nodiscard]] protocol::LoadedState load(Store& store);
/// Makes the changes, or fails the test with the error.
void apply(Store& store, std::vector<protocol::StoreOp> ops);
[[nodiscard]] bool contains(const std::string& text, const std::string& part);
/// Runs SQL on a closed store's file, the way another program would.
void run_sql(const std::filesystem::path& directory, const std::string& sql);

/// Finds pieces of a payload anywhere in other bytes: every window of 15 bytes or more holds one of the
/// 8-byte groups that are looked for. Keeps them masked, so that it never finds itself in memory.
class Traces {
  public:
    explicit Traces(protocol::ByteView payload);
    [[nodiscard]] std::size_t count_in(protocol::ByteView bytes) const;
    [[nodiscard]] std::size_t count_in_file(const std::filesystem::path& file) const;
    /// In all files of a folder.
    [[nodiscard]] std::size_t count_in_folder(const std::filesystem::path& directory) const;
    /// Windows of 64 bytes in all writable memory of this process. (Of 8 bytes, some are in whatever
    /// registers the last copy went through.)
    [[nodiscard]] std::size_t windows_in_own_memory() const;

  private:
    [[nodiscard]] bool is_group(const std::uint8_t* bytes) const;
    /// Places where `groups` groups follow each other.
    [[nodiscard]] std::size_t count_runs(protocol::ByteView bytes, std::size_t groups) const;

    std::unordered_set<std::uint64_t> masked_;
    std::vector<bool> filter_;
};

}  // namespace unlearn::storage::testing
