#include "node/storage/store.hpp"

#include <algorithm>
#include <string>
#include <variant>

#include "node/storage/backup.hpp"
#include "node/storage/storable.hpp"
#include "node/storage/store_statements.hpp"
#include "node/storage/wiping_memory.hpp"
#include "protocol/limits.hpp"

namespace unlearn::storage {

using namespace protocol;

namespace {

/// Returns true when a batch may use the reserve: refusing it would break the promise to forget. Refusing any
/// other batch only delays something.
bool may_use_reserve(std::span<const StoreOp> ops) {
    return std::any_of(ops.begin(), ops.end(), [](const StoreOp& op) {
        return std::holds_alternative<EraseHeldSeed>(op) || std::holds_alternative<PutTombstone>(op) ||
               std::holds_alternative<PutExiting>(op) || std::holds_alternative<PutRetired>(op) ||
               std::holds_alternative<PutHolderList>(op) || std::holds_alternative<SetRestored>(op) ||
               std::holds_alternative<PutRevocation>(op);
    });
}

}  // namespace

Store::Store(std::filesystem::path directory, const Binding& binding, WallClock clock, Disk& disk,
             std::uint64_t log_entries)
    : disk_(disk),
      binding_(binding),
      directory_(std::move(directory)),
      file_(directory_ / "state.db"),
      reserve_(disk, directory_ / "reserve"),
      log_(std::move(clock), log_entries) {}

// Statements are destroyed before their connection, and both before the lock on the folder.
Store::~Store() {
    log_.close();
    statements_.reset();
    connection_.reset();
}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& directory, const Binding& binding,
                                           WallClock clock, Disk& disk, std::uint64_t log_entries) {
    std::unique_ptr<Store> store(new Store(directory, binding, std::move(clock), disk, log_entries));
    if (auto started = store->start(); !started) return tl::unexpected(started.error());
    return store;
}

Result<void> Store::start() {
    auto lock = disk_.lock(directory_);
    if (!lock) return tl::unexpected(lock.error());
    lock_ = std::move(*lock);
    if (auto made = disk_.ensure_private_file(file_); !made) return made;
    auto connection = sqlite::Connection::open(file_, sqlite::Access::read_write, disk_.sqlite_vfs());
    if (!connection) return tl::unexpected(connection.error());
    connection_ = std::move(*connection);
    if (auto set = connection_->run(schema::kSettings); !set) return set;
    if (auto prepared = schema::prepare(*connection_, file_, binding_); !prepared) return prepared;
    const auto mode = connection_->text("PRAGMA journal_mode");
    if (!mode) return tl::unexpected(mode.error());
    const auto secure = connection_->integer("PRAGMA secure_delete");
    if (!secure) return tl::unexpected(secure.error());
    // SQLite does not report a setting that it could not make. For us that is an error.
    if (*mode != "wal" || *secure != 1)
        return fail(ErrorCode::internal, file_.string() + ": this SQLite cannot overwrite what it deletes");
    statements_ = std::make_unique<Statements>();
    if (auto prepared = statements_->prepare(*connection_); !prepared) return prepared;
    if (auto prepared = log_.prepare(*connection_, binding_); !prepared) return prepared;
    // Each start adds one, so this need not be done with every exit that raises a number.
    if (auto forgotten = statements_->forget_starts.bind(1, static_cast<std::int64_t>(kMaxStartsKept)).run();
        !forgotten)
        return forgotten;
    // A crash may have happened between a deletion's commit and its checkpoint.
    if (auto finished = finish_erasure(); !finished) {
        if (!connection_->failed_on_full_disk()) return finished;
        reserve_.release();
        if (finished = finish_erasure(); !finished) return finished;
    }
    // A missing reserve must not keep a node from starting, because it could then not forget.
    const auto held = held_bytes();
    if (!held) return tl::unexpected(held.error());
    static_cast<void>(reserve_.grow_to(Reserve::size_for(*held)));
    return {};
}

Result<std::vector<LogEntry>> Store::read_log(std::uint64_t after, std::size_t limit) {
    return read_entries(*connection_, after, limit);
}

Result<LogCheck> Store::verify_log() {
    return verify_all(*connection_);
}

Result<bool> Store::verify_log(LogVerifier& verifier, std::size_t limit) {
    return verifier.advance(*connection_, limit);
}

Result<void> Store::backup(const std::filesystem::path& file) {
    return copy_without_seeds(*connection_, binding_, file, disk_);
}

Result<Loaded> Store::load() {
    return load_all(*connection_, file_);
}

Result<std::uint64_t> Store::held_bytes() const {
    const auto bytes = connection_->integer(schema::kHeldBytes);
    if (!bytes) return tl::unexpected(bytes.error());
    return static_cast<std::uint64_t>(*bytes);
}

Result<void> Store::reserve_room_for(std::span<const StoreOp> ops) {
    std::uint64_t incoming = 0;
    for (const StoreOp& op : ops)
        if (const auto* seed = std::get_if<PutHeldSeed>(&op); seed != nullptr && seed->payload)
            incoming += seed->payload->size() + schema::kPayloadLead;
    if (incoming == 0) return {};
    const auto held = held_bytes();
    if (!held) return tl::unexpected(held.error());
    return reserve_.grow_to(Reserve::size_for(*held + incoming));
}

Result<void> Store::apply(std::span<const StoreOp> ops) {
    const bool privileged = may_use_reserve(ops);
    // A seed that could not be erased on a full disk is not accepted.
    if (auto room = reserve_room_for(ops); !room && !privileged) {
        failure_ = room.error();
        return room;
    }
    auto applied = apply_once(ops);
    if (applied || !disk_full_ || !privileged) return applied;
    reserve_.release();
    return apply_once(ops);  // settle() allocates the reserve again
}

Result<void> Store::apply_once(std::span<const StoreOp> ops) {
    erasing_ = false;
    disk_full_ = false;
    unsettled_ = true;
    auto done = in_transaction(ops);
    if (!done) {
        // Ask before the rollback, which would overwrite the reason.
        disk_full_ = connection_->failed_on_full_disk();
        if (connection_->failed() && done.error().code != ErrorCode::not_storable) failure_ = done.error();
        if (connection_->in_transaction()) static_cast<void>(statements_->rollback.run());
    } else {
        erasure_pending_ = erasure_pending_ || erasing_;
        if (erasure_pending_) done = finish_erasure();
        if (!done) disk_full_ = connection_->failed_on_full_disk();
        failure_ = done ? std::nullopt : std::optional(done.error());
    }
    connection_->drop_cache();
    wipe_unused_stack();
    return done;
}

Result<void> Store::in_transaction(std::span<const StoreOp> ops) {
    if (auto begun = statements_->begin.run(); !begun) return begun;
    log_.begin();
    for (const StoreOp& op : ops) {
        if (auto good = check_storable(op); !good) return good;
        auto done = std::visit([this](const auto& one) { return carry_out(one); }, op);
        if (done) continue;
        if (connection_->refused_the_value()) done.error().code = ErrorCode::not_storable;
        return done;
    }
    // An exit neither waits for this nor fails because of it.
    if (!may_use_reserve(ops))
        if (auto dropped = log_.drop_oldest(*connection_); !dropped) return dropped;
    if (auto logged = log_.end(); !logged) return logged;
    return statements_->commit.run();
}

Result<void> Store::run_logged(sqlite::Statement& statement, LogKind kind,
                               const std::optional<NodeId>& subject, std::uint64_t version) {
    if (auto done = statement.run(); !done) return done;
    if (connection_->changes() == 0) return {};
    return log_.append(kind, subject, version);
}

Result<void> Store::finish_erasure() {
    auto emptied = connection_->checkpoint(sqlite::Checkpoint::truncate);
    if (emptied) erasure_pending_ = false;
    return emptied;
}

Result<void> Store::erase(const DamagedSeed& damaged) {
    erasure_pending_ = true;
    unsettled_ = true;
    auto erased = statements_->begin.run();
    log_.begin();
    if (erased)
        erased =
            run_logged(statements_->erase_held_row.bind(1, damaged.row), LogKind::seed_erased, damaged.owner);
    if (erased) erased = statements_->erase_stray_leases.run();
    if (erased) erased = log_.end();
    if (erased) erased = statements_->commit.run();
    if (erased) return finish_erasure();
    if (connection_->in_transaction()) static_cast<void>(statements_->rollback.run());
    return erased;
}

Result<void> Store::settle() {
    if (!unsettled_) return {};
    if (auto copied = connection_->checkpoint(sqlite::Checkpoint::passive); !copied) return copied;
    const auto held = held_bytes();
    if (!held) return tl::unexpected(held.error());
    if (auto fitted = reserve_.fit_to(Reserve::size_for(*held)); !fitted) return fitted;
    unsettled_ = false;
    return {};
}

}  // namespace unlearn::storage
