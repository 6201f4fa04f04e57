#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "node/storage/disk.hpp"
#include "node/storage/event_log.hpp"
#include "node/storage/loader.hpp"
#include "node/storage/log_limits.hpp"
#include "node/storage/reserve.hpp"
#include "node/storage/schema.hpp"
#include "protocol/durable.hpp"

namespace unlearn::storage {

/// One node's durable state: a folder with `state.db` (SQLite), its write-ahead log and `reserve`.
///
/// A store is used by one thread at a time (see `StorageThread`). The folder is locked while the store lives.
/// Errors have one line that names the file, and ErrorCode::internal. `apply` returns ErrorCode::not_storable
/// when it refuses the values themselves, so that trying again does not help.
///
/// An erasure is complete when `apply` returns without an error: the pages are zeroed in the database
/// (secure_delete) and synced, and the write-ahead log is empty. SQLite's memory is wiped as it is freed.
class Store {
  public:
    /// Opens the folder of the node that `binding` names, or creates it (0700, files 0600). Completes an
    /// erasure that a crash interrupted. `log_entries` is the limit of the event log.
    /// @return an error when the folder is in use, belongs to another node, network or program, was written
    /// by a newer version, or is damaged.
    [[nodiscard]] static protocol::Result<std::unique_ptr<Store>> open(
        const std::filesystem::path& directory, const Binding& binding, WallClock clock = wall_time_now,
        Disk& disk = real_disk(), std::uint64_t log_entries = kLogEntries);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Returns everything that was stored, after checking it. See `load_all` for what happens to damaged
    /// rows.
    [[nodiscard]] protocol::Result<Loaded> load();

    /// Carries out `ops` in order in one durable transaction. `protocol/durable.hpp` describes each
    /// operation.
    ///
    /// - Held and own seeds are replaced only by a higher version; a lower or equal one changes nothing.
    /// - A held seed of an owner with a tombstone is refused, together with the whole batch.
    /// - On a full disk, a batch that erases a seed, stores a tombstone, exits or retires may use the
    ///   reserve; any other batch fails.
    ///
    /// After an error either nothing of the batch is stored or, when only the overwriting failed, all of it.
    /// Applying the batch again is correct in both cases, and finishes the overwriting.
    [[nodiscard]] protocol::Result<void> apply(std::span<const protocol::StoreOp> ops);

    /// Deletes and overwrites a row that `load` reported.
    [[nodiscard]] protocol::Result<void> erase(const DamagedSeed& damaged);

    /// Housekeeping for quiet moments: moves the log into the database, so that the next erasure has less to
    /// do, and fits the reserve to the held seeds. Cheap when there is nothing to do.
    [[nodiscard]] protocol::Result<void> settle();

    /// Returns up to `limit` entries of the event log after number `after`.
    [[nodiscard]] protocol::Result<std::vector<LogEntry>> read_log(std::uint64_t after, std::size_t limit);
    /// Checks the whole log at once, or its next `limit` entries (see `LogVerifier::advance`).
    [[nodiscard]] protocol::Result<LogCheck> verify_log();
    [[nodiscard]] protocol::Result<bool> verify_log(LogVerifier& verifier, std::size_t limit);

    /// Copies everything except seeds into a new file (see `copy_without_seeds`).
    [[nodiscard]] protocol::Result<void> backup(const std::filesystem::path& file);

    /// Returns why the last write did not reach the disk; nothing when it did. A refused operation is not a
    /// failed write.
    [[nodiscard]] const std::optional<protocol::Error>& failure() const { return failure_; }

    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  private:
    struct Statements;

    Store(std::filesystem::path directory, const Binding& binding, WallClock clock, Disk& disk,
          std::uint64_t log_entries);
    [[nodiscard]] protocol::Result<void> start();
    [[nodiscard]] protocol::Result<void> reserve_room_for(std::span<const protocol::StoreOp> ops);
    [[nodiscard]] protocol::Result<void> apply_once(std::span<const protocol::StoreOp> ops);
    [[nodiscard]] protocol::Result<void> in_transaction(std::span<const protocol::StoreOp> ops);
    /// Runs a statement, and logs what it did if it changed anything.
    [[nodiscard]] protocol::Result<void> run_logged(sqlite::Statement& statement, LogKind kind,
                                                    const std::optional<protocol::NodeId>& subject,
                                                    std::uint64_t version = 0);
    /// Empties the write-ahead log, which may contain deleted bytes.
    [[nodiscard]] protocol::Result<void> finish_erasure();
    [[nodiscard]] protocol::Result<std::uint64_t> held_bytes() const;

    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutTombstone& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutRecipient& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutReceipt& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutHeldSeed& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::EraseHeldSeed& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutOwnSeed& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutExiting& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutOwnLease& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutHeldLease& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutLeftReceipt& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutEquivocation& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutPeer& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutRetired& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutHolderList& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutPeerList& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutAsked& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutStart& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutPeerState& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::SetRestored& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::ClearRestored& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutCopied& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutRevocation& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutSuccession& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutMember& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::DropMember& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutFollowedKey& op);
    [[nodiscard]] protocol::Result<void> carry_out(const protocol::PutOwnMembership& op);

    Disk& disk_;
    Binding binding_;
    std::filesystem::path directory_;
    std::filesystem::path file_;
    Reserve reserve_;
    std::unique_ptr<Disk::Lock> lock_;
    std::unique_ptr<sqlite::Connection> connection_;
    std::unique_ptr<Statements> statements_;
    EventLog log_;
    std::optional<protocol::Error> failure_;
    bool erasing_ = false;         ///< the running batch deletes seed bytes
    bool erasure_pending_ = true;  ///< committed deletions whose bytes may still be in the log
    bool unsettled_ = true;        ///< something was written since the last settle()
    bool disk_full_ = false;       ///< the last attempt failed because the disk was full
};

}  // namespace unlearn::storage
