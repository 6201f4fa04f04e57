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

/// What happened to exits and seeds, for users and auditors: a hash chain without parameters or personal
/// data. Each entry is written in the same transaction as the change that it records.
///
///     hash = BLAKE2b-256( "unlearnd log entry 1" | previous (32 bytes) | seq | at | version
///                         | length of subject (1 byte) | subject | kind )
///
/// Numbers are 8 bytes, big endian; `at` counts seconds since 1970 in UTC; `subject` is empty or a NodeId;
/// `version` is 0 where none applies; `kind` is its text. The first entry has seq 1, and its `previous` is
/// BLAKE2b-256( "unlearnd log 1" | NodeId of this node | NetworkId ). Table `meta` also has the newest seq
/// and hash, which shows when entries were cut off at the end.
///
/// The log has a limit. When it is exceeded the oldest entries are dropped, and `meta` keeps the seq and hash
/// of the newest of them: the first entry that is left follows from that. What proves an exit or an erasure
/// is in tables of its own, which have no such limit.
namespace unlearn::storage {

/// What an entry records. It is stored as the text that `name_of` returns.
enum class LogKind {
    tombstone,       ///< the exit of `subject` was stored
    seed_installed,  ///< a checked seed of `subject` was stored
    seed_erased,     ///< a seed was erased for good or for a newer version
    recipient,       ///< `subject` was given our seed of this version
    receipt,         ///< `subject` confirmed our exit
    seed_published,  ///< our own seed of this version was stored
    exit_begun,      ///< our own exit was stored
    left_receipt,    ///< we told `subject` that its seed is erased because we leave
    equivocation,    ///< `subject` signed two records for this version
    peer_added,
    peer_removed,
    retired,     ///< this identity will not run again
    expelled,    ///< the network's key expelled `subject`
    succession,  ///< a key of the network named the next one
};

/// Returns the text under which `kind` is stored.
[[nodiscard]] std::string_view name_of(LogKind kind);

/// One entry of the log.
struct LogEntry {
    std::uint64_t seq = 0;
    protocol::WallTime at{};
    std::string kind;
    std::optional<protocol::NodeId> subject;
    std::uint64_t version = 0;
    protocol::Digest previous;
    protocol::Digest hash;
};

/// The result of a verification.
struct LogCheck {
    std::uint64_t entries = 0;               ///< number of entries in the log
    std::uint64_t dropped = 0;               ///< number of older entries that were dropped
    std::optional<std::uint64_t> first_bad;  ///< the first entry that is missing, changed or too many
    std::string detail;                      ///< one line about it
};

/// Returns the time that a new entry gets.
using WallClock = std::function<protocol::WallTime()>;
/// Returns the time of the system clock.
[[nodiscard]] protocol::WallTime wall_time_now();

/// Appends to the log of one database. The caller begins and ends the transactions.
class EventLog {
  public:
    /// `limit` is the number of entries to keep.
    EventLog(WallClock clock, std::uint64_t limit) : clock_(std::move(clock)), limit_(limit) {}
    /// Prepares the statements and computes `previous` of the first entry.
    [[nodiscard]] protocol::Result<void> prepare(const sqlite::Connection& connection,
                                                 const Binding& binding);

    /// Destroys the statements. Call it before the connection is destroyed.
    void close();

    /// Call this after a transaction has begun. Forgets what an earlier one appended and rolled back.
    void begin() { head_.reset(); }
    [[nodiscard]] protocol::Result<void> append(LogKind kind, const std::optional<protocol::NodeId>& subject,
                                                std::uint64_t version = 0);
    /// Drops the oldest entries when this transaction has appended and there are more than the limit: a tenth
    /// of the limit, and kLogDroppedAtOnce at most. Entries whose chain is broken are kept as evidence.
    [[nodiscard]] protocol::Result<void> drop_oldest(const sqlite::Connection& connection);
    /// Call this before the transaction is committed. Stores the newest seq and hash.
    [[nodiscard]] protocol::Result<void> end();

  private:
    struct Head {
        std::uint64_t seq;
        protocol::Digest hash;
    };
    [[nodiscard]] protocol::Result<Head> read_head();

    WallClock clock_;
    std::uint64_t limit_;
    protocol::Digest origin_;  ///< `previous` of the first entry
    std::optional<sqlite::Statement> select_head_, insert_entry_, update_head_;
    std::optional<Head> head_;  ///< newest entry of the running transaction, once it appended one
    Head dropped_{};            ///< newest entry that was dropped, as of the last read_head
};

/// Checks a chain from its first entry, a piece at a time, so that other work can run between the pieces.
class LogVerifier {
  public:
    /// Checks up to `limit` more entries. @return true when all are checked: see `result`.
    [[nodiscard]] protocol::Result<bool> advance(const sqlite::Connection& connection, std::size_t limit);
    [[nodiscard]] const LogCheck& result() const { return result_; }

  private:
    /// Reads where the chain begins.
    [[nodiscard]] protocol::Result<void> begin(const sqlite::Connection& connection);
    [[nodiscard]] protocol::Result<bool> finish(const sqlite::Connection& connection, std::string problem);

    std::uint64_t good_ = 0;  ///< the number of the newest entry that was found correct or was dropped
    std::optional<protocol::Digest> last_;  ///< its hash
    LogCheck result_;
};

/// Returns up to `limit` entries after number `after`, in order.
[[nodiscard]] protocol::Result<std::vector<LogEntry>> read_entries(const sqlite::Connection& connection,
                                                                   std::uint64_t after, std::size_t limit);

/// Checks the whole log.
[[nodiscard]] protocol::Result<LogCheck> verify_all(const sqlite::Connection& connection);

/// Checks the log of a node that is not running, without changing what is stored.
/// @return an error when there is no state, the folder is in use, or the state cannot be read.
[[nodiscard]] protocol::Result<LogCheck> verify_log_of(const std::filesystem::path& directory);

}  // namespace unlearn::storage
