#include "node/storage/store.hpp"

#include <algorithm>
#include <string>
#include <variant>

#include "node/storage/backup.hpp"
#include "node/storage/sqlite.hpp"
#include "node/storage/storable.hpp"
#include "node/storage/wiping_memory.hpp"
#include "protocol/limits.hpp"

namespace unlearn::storage {

using namespace protocol;

/// The statements are prepared once, so that a batch costs little more than its writes.
struct Store::Statements {
    sqlite::Statement begin, commit, rollback;
    sqlite::Statement put_tombstone, has_tombstone, recipient_version, put_recipient, put_receipt,
        put_exiting;
    sqlite::Statement held_version, erase_held_seed, erase_held_row, put_held_seed;
    sqlite::Statement own_version, erase_own_seed, put_own_seed;
    sqlite::Statement clear_restored, raise_own_version, put_own_lease, put_held_lease, erase_held_lease,
        erase_stray_leases;
    sqlite::Statement put_left_receipt, put_equivocation, put_peer, put_retired;
    sqlite::Statement put_holder_list, put_peer_list, put_asked;
    sqlite::Statement put_start, forget_starts, put_peer_state, set_restored, put_copied;
    sqlite::Statement put_revocation, has_revocation, put_succession, put_member, drop_member,
        put_followed_key, put_own_membership;

    [[nodiscard]] Result<void> prepare(const sqlite::Connection& connection) {
        const std::pair<sqlite::Statement*, const char*> all[] = {
            {&begin, schema::kBegin},
            {&commit, schema::kCommit},
            {&rollback, schema::kRollback},
            {&put_tombstone, schema::kPutTombstone},
            {&has_tombstone, schema::kHasTombstone},
            {&recipient_version, schema::kRecipientVersion},
            {&put_recipient, schema::kPutRecipient},
            {&put_receipt, schema::kPutReceipt},
            {&put_exiting, schema::kPutExiting},
            {&held_version, schema::kHeldVersion},
            {&erase_held_seed, schema::kEraseHeldSeed},
            {&erase_held_row, schema::kEraseHeldRow},
            {&put_held_seed, schema::kPutHeldSeed},
            {&own_version, schema::kOwnVersion},
            {&erase_own_seed, schema::kEraseOwnSeed},
            {&put_own_seed, schema::kPutOwnSeed},
            {&raise_own_version, schema::kRaiseOwnVersion},
            {&put_own_lease, schema::kPutOwnLease},
            {&put_held_lease, schema::kPutHeldLease},
            {&erase_held_lease, schema::kEraseHeldLease},
            {&erase_stray_leases, schema::kEraseStrayLeases},
            {&put_left_receipt, schema::kPutLeftReceipt},
            {&put_equivocation, schema::kPutEquivocation},
            {&put_peer, schema::kPutPeer},
            {&put_retired, schema::kPutRetired},
            {&clear_restored, schema::kClearRestored},
            {&put_holder_list, schema::kPutHolderList},
            {&put_peer_list, schema::kPutPeerList},
            {&put_asked, schema::kPutAsked},
            {&put_start, schema::kPutStart},
            {&forget_starts, schema::kForgetStarts},
            {&put_peer_state, schema::kPutPeerState},
            {&set_restored, schema::kSetRestored},
            {&put_copied, schema::kPutCopied},
            {&put_revocation, schema::kPutRevocation},
            {&has_revocation, schema::kHasRevocation},
            {&put_succession, schema::kPutSuccession},
            {&put_member, schema::kPutMember},
            {&drop_member, schema::kDropMember},
            {&put_followed_key, schema::kPutFollowedKey},
            {&put_own_membership, schema::kPutOwnMembership},
        };
        for (const auto& [statement, sql] : all) {
            auto prepared = connection.prepare(sql);
            if (!prepared) return tl::unexpected(prepared.error());
            *statement = std::move(*prepared);
        }
        return {};
    }
};

namespace {

std::int64_t stored(SeedVersion version) {
    return static_cast<std::int64_t>(version);
}

std::int64_t stored(WallTime time) {
    return std::max<std::int64_t>(0, time.time_since_epoch().count());
}

ByteView view_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

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

Result<void> Store::carry_out(const PutTombstone& op) {
    return run_logged(statements_->put_tombstone.bind(1, op.owner.view())
                          .bind(2, op.notice.bytes)
                          .bind(3, op.notice.signature.view())
                          .bind(4, stored(op.erased)),
                      LogKind::tombstone, op.owner);
}

Result<void> Store::carry_out(const PutRecipient& op) {
    Statements& s = *statements_;
    const auto known = s.recipient_version.bind(1, op.peer.view()).step();
    if (!known) return tl::unexpected(known.error());
    // A longer lease of the same seed is not logged.
    const bool news = !*known || s.recipient_version.integer(0) < stored(op.version);
    s.recipient_version.reset();
    auto put = s.put_recipient.bind(1, op.peer.view())
                   .bind(2, stored(op.version))
                   .bind(3, stored(op.lease_until))
                   .run();
    if (!put || !news) return put;
    return log_.append(LogKind::recipient, op.peer, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const PutReceipt& op) {
    return run_logged(statements_->put_receipt.bind(1, op.holder.view())
                          .bind(2, op.receipt.bytes)
                          .bind(3, op.receipt.signature.view()),
                      LogKind::receipt, op.holder);
}

Result<void> Store::carry_out(const PutHeldSeed& op) {
    Statements& s = *statements_;
    const auto buried = s.has_tombstone.bind(1, op.owner.view()).step();
    if (!buried) return tl::unexpected(buried.error());
    s.has_tombstone.reset();
    // The engine's gate never lets this happen. Should it fail, the disk still holds no seed of an owner who
    // left.
    if (*buried)
        return fail(ErrorCode::not_storable, "seed of " + op.owner.short_text() + ", who has left, refused");
    const auto expelled = s.has_revocation.bind(1, op.owner.view()).step();
    if (!expelled) return tl::unexpected(expelled.error());
    s.has_revocation.reset();
    if (*expelled)
        return fail(ErrorCode::not_storable,
                    "seed of " + op.owner.short_text() + ", who is expelled, refused");
    const auto held = s.held_version.bind(1, op.owner.view()).step();
    if (!held) return tl::unexpected(held.error());
    const bool keep = *held && s.held_version.integer(0) >= stored(op.version);
    s.held_version.reset();
    if (keep) return {};
    if (*held)
        if (auto erased = carry_out(EraseHeldSeed{op.owner}); !erased) return erased;
    const Digest digest = digest_of(op.payload->view());
    auto inserted = s.put_held_seed.bind(1, op.owner.view())
                        .bind(2, stored(op.version))
                        .bind(3, op.record.bytes)
                        .bind(4, op.record.signature.view())
                        .bind(5, digest.view())
                        .bind_zeros(6, schema::kPayloadLead + op.payload->size())
                        .run();
    if (!inserted) return inserted;
    auto written = connection_->write_blob("held_seeds", "payload", connection_->last_row(),
                                           schema::kPayloadLead, op.payload->view());
    if (!written) return written;
    return log_.append(LogKind::seed_installed, op.owner, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const EraseHeldSeed& op) {
    // Set it even when there is no row, because a failed install may have left bytes in the log.
    erasing_ = true;
    if (auto erased = statements_->erase_held_lease.bind(1, op.owner.view()).run(); !erased) return erased;
    Statements& s = *statements_;
    const auto held = s.held_version.bind(1, op.owner.view()).step();
    if (!held) return tl::unexpected(held.error());
    const auto version = *held ? static_cast<std::uint64_t>(s.held_version.integer(0)) : 0;
    s.held_version.reset();
    return run_logged(s.erase_held_seed.bind(1, op.owner.view()), LogKind::seed_erased, op.owner, version);
}

Result<void> Store::carry_out(const PutOwnSeed& op) {
    Statements& s = *statements_;
    const auto present = s.own_version.step();
    if (!present) return tl::unexpected(present.error());
    const bool keep = *present && s.own_version.integer(0) >= stored(op.version);
    s.own_version.reset();
    if (keep) return {};
    if (*present) {
        // An older version may have been replaced because a data record was deleted, so it is erased like a
        // peer's seed.
        erasing_ = true;
        if (auto erased = s.erase_own_seed.run(); !erased) return erased;
    }
    const Digest digest = digest_of(op.payload->view());
    auto inserted = s.put_own_seed.bind(1, stored(op.version))
                        .bind(2, op.record.bytes)
                        .bind(3, op.record.signature.view())
                        .bind(4, digest.view())
                        .bind_zeros(5, schema::kPayloadLead + op.payload->size())
                        .run();
    if (!inserted) return inserted;
    if (auto raised = s.raise_own_version.bind(1, stored(op.version)).run(); !raised) return raised;
    auto written =
        connection_->write_blob("own_seed", "payload", 1, schema::kPayloadLead, op.payload->view());
    if (!written) return written;
    return log_.append(LogKind::seed_published, std::nullopt, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const PutExiting& op) {
    return run_logged(statements_->put_exiting.bind(1, op.notice.bytes)
                          .bind(2, op.notice.signature.view())
                          .bind(3, std::int64_t{op.met ? 1 : 0}),
                      LogKind::exit_begun, std::nullopt);
}

Result<void> Store::carry_out(const PutOwnLease& op) {
    return statements_->put_own_lease.bind(1, static_cast<std::int64_t>(op.number))
        .bind(2, stored(op.not_after))
        .run();
}

Result<void> Store::carry_out(const PutHeldLease& op) {
    return statements_->put_held_lease.bind(1, op.owner.view())
        .bind(2, static_cast<std::int64_t>(op.number))
        .bind(3, stored(op.not_after))
        .run();
}

Result<void> Store::carry_out(const PutLeftReceipt& op) {
    return run_logged(statements_->put_left_receipt.bind(1, op.owner.view())
                          .bind(2, op.receipt.bytes)
                          .bind(3, op.receipt.signature.view()),
                      LogKind::left_receipt, op.owner);
}

Result<void> Store::carry_out(const PutEquivocation& op) {
    return run_logged(statements_->put_equivocation.bind(1, op.owner.view())
                          .bind(2, stored(op.version))
                          .bind(3, op.first.bytes)
                          .bind(4, op.first.signature.view())
                          .bind(5, op.second.bytes)
                          .bind(6, op.second.signature.view())
                          .bind(7, static_cast<std::int64_t>(kMaxEquivocationsKept)),
                      LogKind::equivocation, op.owner, static_cast<std::uint64_t>(op.version));
}

Result<void> Store::carry_out(const PutPeer& op) {
    return run_logged(statements_->put_peer.bind(1, op.peer.view())
                          .bind(2, view_of(op.endpoint.value_or("")))
                          .bind(3, std::int64_t{op.former ? 1 : 0}),
                      op.former ? LogKind::peer_removed : LogKind::peer_added, op.peer);
}

Result<void> Store::carry_out(const PutRetired& op) {
    return run_logged(statements_->put_retired.bind(1, view_of(op.reason)), LogKind::retired, std::nullopt);
}

Result<void> Store::carry_out(const ClearRestored&) {
    return statements_->clear_restored.run();
}

Result<void> Store::carry_out(const PutHolderList& op) {
    return statements_->put_holder_list.bind(1, op.list.bytes).bind(2, op.list.signature.view()).run();
}

Result<void> Store::carry_out(const PutPeerList& op) {
    return statements_->put_peer_list.bind(1, op.owner.view())
        .bind(2, op.list.bytes)
        .bind(3, op.list.signature.view())
        .run();
}

Result<void> Store::carry_out(const PutAsked& op) {
    return statements_->put_asked.bind(1, op.owner.view()).bind(2, stored(op.version)).run();
}

Result<void> Store::carry_out(const PutStart& op) {
    auto put = statements_->put_start.bind(1, op.start.view())
                   .bind(2, op.previous.view())
                   .bind(3, static_cast<std::int64_t>(op.number))
                   .bind(4, std::int64_t{op.seen_by_others ? 1 : 0})
                   .run();
    if (!put) return put;
    return statements_->forget_starts.bind(1, static_cast<std::int64_t>(kMaxStartsKept)).run();
}

Result<void> Store::carry_out(const PutPeerState& op) {
    return statements_->put_peer_state.bind(1, op.peer.view())
        .bind(2, static_cast<std::int64_t>(op.number))
        .bind(3, op.statement.bytes)
        .bind(4, op.statement.signature.view())
        .run();
}

Result<void> Store::carry_out(const SetRestored&) {
    return statements_->set_restored.run();
}

Result<void> Store::carry_out(const PutCopied& op) {
    return statements_->put_copied.bind(1, std::int64_t{op.copied ? 1 : 0}).run();
}

Result<void> Store::carry_out(const PutRevocation& op) {
    return run_logged(statements_->put_revocation.bind(1, op.member.view())
                          .bind(2, op.revocation.bytes)
                          .bind(3, op.revocation.signature.view())
                          .bind(4, stored(op.erased)),
                      LogKind::expelled, op.member);
}

Result<void> Store::carry_out(const PutSuccession& op) {
    return run_logged(
        statements_->put_succession.bind(1, op.succession.bytes).bind(2, op.succession.signature.view()),
        LogKind::succession, std::nullopt);
}

Result<void> Store::carry_out(const PutMember& op) {
    return statements_->put_member.bind(1, op.member.view())
        .bind(2, static_cast<std::int64_t>(op.admitted))
        .bind(3, op.membership.bytes)
        .bind(4, op.membership.signature.view())
        .run();
}

Result<void> Store::carry_out(const DropMember& op) {
    return statements_->drop_member.bind(1, op.member.view()).run();
}

Result<void> Store::carry_out(const PutFollowedKey& op) {
    return statements_->put_followed_key.bind(1, op.key.view()).run();
}

Result<void> Store::carry_out(const PutOwnMembership& op) {
    return statements_->put_own_membership.bind(1, op.membership.bytes)
        .bind(2, op.membership.signature.view())
        .run();
}

}  // namespace unlearn::storage
