#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/storage/schema.hpp"
#include "node/storage/sqlite.hpp"
#include "protocol/durable.hpp"

/// What happened to exits and seeds, for people and auditors: a hash chain without parameters or personal
/// data. Each entry is written in the transaction that makes the change which it tells of.
///
///     hash = BLAKE2b-256( "unlearnd log entry 1" | previous (32 bytes) | seq | at | version
///                         | length of subject (1 byte) | subject | kind )
///
/// Numbers are 8 bytes, big endian; `at` counts seconds since 1970 in UTC; `subject` is empty or a NodeId;
/// `version` is 0 where none is meant; `kind` is its text. The first entry has seq 1 and as `previous`
/// BLAKE2b-256( "unlearnd log 1" | NodeId of this node | NetworkId ). The newest seq and hash are kept in
/// table `meta` as well, which shows when entries were cut off at the end.
namespace unlearn::storage {

/// What an entry tells; stored as the text that `name_of` gives.
enum class LogKind {
    tombstone,       ///< the exit of `subject` was stored
    seed_installed,  ///< a checked seed of `subject`
    seed_erased,     ///< left for ever, or made way for a newer version
    recipient,       ///< `subject` was given our seed of this version
    receipt,         ///< `subject` confirmed our exit
    seed_published,  ///< our own seed of this version
    exit_begun,      ///< our own exit
    left_receipt,    ///< we told `subject` that its seed goes because we leave
    equivocation,    ///< `subject` signed two records for this version
    peer_added,
    peer_removed,
    retired,  ///< this identity will not run again
};

[[nodiscard]] std::string_view name_of(LogKind kind);

struct LogEntry {
    std::uint64_t seq = 0;
    protocol::WallTime at{};
    std::string kind;
    std::optional<protocol::NodeId> subject;
    std::uint64_t version = 0;
    protocol::Digest previous;
    protocol::Digest hash;
};

/// What a verification found.
struct LogCheck {
    std::uint64_t entries = 0;               ///< how many there are
    std::optional<std::uint64_t> first_bad;  ///< the first that is missing, changed or one too many
    std::string detail;                      ///< one line about it
};

/// Tells the time of entries.
using WallClock = std::function<protocol::WallTime()>;
[[nodiscard]] protocol::WallTime wall_time_now();

/// Appends to the log of one database, in transactions that its user begins and ends.
class EventLog {
  public:
    explicit EventLog(WallClock clock) : clock_(std::move(clock)) {}
    [[nodiscard]] protocol::Result<void> prepare(const sqlite::Connection& connection,
                                                 const Binding& binding);

    /// Lets go of the connection, which must outlive its statements.
    void close();

    /// A transaction has begun. What an earlier one appended and rolled back is forgotten.
    void begin() { head_.reset(); }
    [[nodiscard]] protocol::Result<void> append(LogKind kind, const std::optional<protocol::NodeId>& subject,
                                                std::uint64_t version = 0);
    /// The transaction is about to be committed.
    [[nodiscard]] protocol::Result<void> end();

  private:
    struct Head {
        std::uint64_t seq;
        protocol::Digest hash;
    };
    [[nodiscard]] protocol::Result<Head> read_head();

    WallClock clock_;
    protocol::Digest origin_;  ///< `previous` of the first entry
    std::optional<sqlite::Statement> select_head_, insert_entry_, update_head_;
    std::optional<Head> head_;  ///< of the running transaction, once it appended
};

/// Checks a chain from its beginning, a piece at a time, so that other work can go between the pieces.
class LogVerifier {
  public:
    /// Looks at up to `limit` more entries. @return true when all is checked: see `result`.
    [[nodiscard]] protocol::Result<bool> advance(const sqlite::Connection& connection, std::size_t limit);
    [[nodiscard]] const LogCheck& result() const { return result_; }

  private:
    [[nodiscard]] protocol::Result<bool> finish(const sqlite::Connection& connection, std::string problem);

    std::uint64_t good_ = 0;  ///< entries that were found in order
    std::optional<protocol::Digest> last_;
    LogCheck result_;
};

/// Up to `limit` entries after number `after`, in their order.
[[nodiscard]] protocol::Result<std::vector<LogEntry>> read_entries(const sqlite::Connection& connection,
                                                                   std::uint64_t after, std::size_t limit);

[[nodiscard]] protocol::Result<LogCheck> verify_all(const sqlite::Connection& connection);

/// Checks the log of a node that is not running, without changing what is stored.
/// @return an error when there is no state, the folder is in use, or it cannot be read.
[[nodiscard]] protocol::Result<LogCheck> verify_log_of(const std::filesystem::path& directory);

}  // namespace unlearn::storage
