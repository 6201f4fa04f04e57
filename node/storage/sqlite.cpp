#include "node/storage/sqlite.hpp"

#include <cassert>
#include <cerrno>

#include <sqlite3.h>

#include "node/storage/wiping_memory.hpp"

namespace unlearn::storage::sqlite {

using protocol::ByteView;
using protocol::Error;
using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
    const int code = sqlite3_bind_int64(statement_.get(), parameter, value);
    assert(code == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int parameter, ByteView blob) {
    // A null pointer would bind NULL; an empty blob is still a blob.
    const void* data = blob.empty() ? "" : static_cast<const void*>(blob.data());
    const int code = sqlite3_bind_blob64(statement_.get(), parameter, data, blob.size(), SQLITE_STATIC);
    assert(code == SQLITE_OK);
    return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view text) {
    const int code = sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_STATIC,
                                         SQLITE_UTF8);
    assert(code == SQLITE_OK);
    return *this;
}

Statement& Statement::bind_zeros(int parameter, std::size_t size) {
    const int code = sqlite3_bind_zeroblob64(statement_.get(), parameter, size);
    assert(code == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        reset();
        return false;
    }
    auto failed = connection_->error();
    reset();
    return failed;
}

Result<void> Statement::run() {
    while (true) {
        const auto row = step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return {};
    }
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

ByteView Statement::blob(int column) const {
    if (sqlite3_column_type(statement_.get(), column) != SQLITE_BLOB) return {};
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string Statement::text(int column) const {
    const auto* data = sqlite3_column_text(statement_.get(), column);
    return data == nullptr ? std::string() : reinterpret_cast<const char*>(data);
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
    // Bound bytes belong to the caller and may be gone after this.
    sqlite3_clear_bindings(statement_.get());
}

void Connection::Closer::operator()(sqlite3* database) const {
    sqlite3_close_v2(database);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file, Access access,
                                                     const char* vfs) {
    if (auto installed = install_wiping_memory(); !installed) return tl::unexpected(installed.error());
    std::unique_ptr<Connection> connection(new Connection(file));
    sqlite3* database = nullptr;
    const int code =
        sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs);
    connection->database_.reset(database);  // also after a failure: it has the message and must be closed
    if (database == nullptr) return fail(ErrorCode::internal, file.string() + ": out of memory");
    if (code != SQLITE_OK) return connection->error();
    sqlite3_extended_result_codes(database, 1);
    // The file may be hostile, so nothing in it may load code or change the schema.
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    if (access == Access::read_only) {
        // The file is open for writing all the same: SQLite cannot read a log through a read-only descriptor.
        sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        if (auto set = connection->run("PRAGMA query_only = ON"); !set) return tl::unexpected(set.error());
    }
    return connection;
}

Result<Statement> Connection::prepare(const std::string& sql) const {
    Statement out;
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    out.connection_ = this;
    out.statement_.reset(statement);
    if (code != SQLITE_OK) return error();
    return out;
}

Result<void> Connection::run(const std::string& sql) const {
    if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return {};
}

Result<std::int64_t> Connection::integer(const std::string& sql) const {
    auto statement = prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    return *row ? statement->integer(0) : 0;
}

Result<std::string> Connection::text(const std::string& sql) const {
    auto statement = prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    return *row ? statement->text(0) : std::string();
}

namespace {

struct BlobCloser {
    void operator()(sqlite3_blob* blob) const { sqlite3_blob_close(blob); }
};
using OpenBlob = std::unique_ptr<sqlite3_blob, BlobCloser>;

/// Returns null after a failure; the connection then has the reason.
OpenBlob open_blob(sqlite3* database, const char* table, const char* column, std::int64_t row, int writable) {
    sqlite3_blob* blob = nullptr;
    if (sqlite3_blob_open(database, "main", table, column, row, writable, &blob) != SQLITE_OK) return nullptr;
    return OpenBlob(blob);
}

}  // namespace

Result<void> Connection::read_blob(const char* table, const char* column, std::int64_t row,
                                   std::size_t offset, std::span<std::uint8_t> out) const {
    const auto blob = open_blob(database_.get(), table, column, row, 0);
    if (!blob || sqlite3_blob_read(blob.get(), out.data(), static_cast<int>(out.size()),
                                   static_cast<int>(offset)) != SQLITE_OK)
        return error();
    return {};
}

Result<void> Connection::write_blob(const char* table, const char* column, std::int64_t row,
                                    std::size_t offset, ByteView bytes) const {
    const auto blob = open_blob(database_.get(), table, column, row, 1);
    if (!blob || sqlite3_blob_write(blob.get(), bytes.data(), static_cast<int>(bytes.size()),
                                    static_cast<int>(offset)) != SQLITE_OK)
        return error();
    return {};
}

std::int64_t Connection::last_row() const {
    return sqlite3_last_insert_rowid(database_.get());
}

std::int64_t Connection::changes() const {
    return sqlite3_changes64(database_.get());
}

bool Connection::in_transaction() const {
    return sqlite3_get_autocommit(database_.get()) == 0;
}

bool Connection::failed() const {
    const int code = sqlite3_errcode(database_.get()) & 0xff;
    return code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;
}

bool Connection::failed_on_full_disk() const {
    const int code = sqlite3_errcode(database_.get()) & 0xff;
    const int number = sqlite3_system_errno(database_.get());
    return code == SQLITE_FULL || (code == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT));
}

bool Connection::refused_the_value() const {
    switch (sqlite3_errcode(database_.get()) & 0xff) {
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
        case SQLITE_TOOBIG:
        case SQLITE_RANGE:
        case SQLITE_MISUSE:
        case SQLITE_ERROR:
            return true;
        default:
            return false;
    }
}

sqlite3_file* Connection::log_file(const char* database) const {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(database_.get(), database, SQLITE_FCNTL_JOURNAL_POINTER, &file);
    return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

Result<void> Connection::checkpoint(Checkpoint kind, const char* database) const {
    const int mode = kind == Checkpoint::truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int in_log = 0;
    int copied = 0;
    if (sqlite3_wal_checkpoint_v2(database_.get(), database, mode, &in_log, &copied) != SQLITE_OK)
        return error();
    if (kind == Checkpoint::passive) return {};
    sqlite3_file* log = log_file(database);
    if (log == nullptr) return {};  // no log was ever begun
    sqlite3_int64 size = -1;
    if (log->pMethods->xFileSize(log, &size) != SQLITE_OK || size != 0)
        return error("the write-ahead log could not be emptied");
    // SQLite does not sync this truncation. Without a sync, a power loss could bring the old log's bytes
    // back.
    if (log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) != SQLITE_OK)
        return error("the emptied write-ahead log could not be synced");
    return {};
}

void Connection::drop_cache() const {
    sqlite3_db_release_memory(database_.get());
}

tl::unexpected<Error> Connection::error() const {
    return error(sqlite3_errmsg(database_.get()));
}

tl::unexpected<Error> Connection::error(const std::string& text) const {
    return fail(ErrorCode::internal, file_.string() + ": " + text);
}

}  // namespace unlearn::storage::sqlite
