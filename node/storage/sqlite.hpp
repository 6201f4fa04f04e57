#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/result.hpp"

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;

/// A thin layer over SQLite's C interface that adds ownership and `Result`, and nothing else. Use it from one
/// thread at a time. Errors are one line that begins with the database file.
namespace unlearn::storage::sqlite {

class Connection;

/// A prepared statement. As in SQLite, parameters count from 1 and columns from 0. Binding never copies:
/// bound bytes must live until the statement has run.
class Statement {
  public:
    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, protocol::ByteView blob);
    Statement& bind_text(int parameter, std::string_view text);
    /// Binds a blob of `size` zeros, to be filled with `Connection::write_blob`.
    Statement& bind_zeros(int parameter, std::size_t size);

    /// Returns true when there is a row. At the end, and after an error, the statement is ready for its next
    /// use.
    [[nodiscard]] protocol::Result<bool> step();
    /// Runs a statement that returns no rows, or whose rows do not matter.
    [[nodiscard]] protocol::Result<void> run();

    [[nodiscard]] std::int64_t integer(int column) const;
    /// Returns the column's bytes, valid until the next step; empty when the column is not a blob.
    [[nodiscard]] protocol::ByteView blob(int column) const;
    [[nodiscard]] std::string text(int column) const;
    void reset();

  private:
    friend class Connection;
    struct Finalizer {
        void operator()(sqlite3_stmt* statement) const;
    };
    const Connection* connection_ = nullptr;
    std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

/// How far a checkpoint goes.
enum class Checkpoint {
    passive,   ///< copies the write-ahead log into the database; the log's file keeps its old bytes
    truncate,  ///< also empties the log's file, durably
};

/// How a database is opened.
enum class Access {
    read_write,
    read_only,  ///< changes neither the database nor its write-ahead log, which is also read
};

/// One open database. It does not move, because statements keep a pointer to it.
class Connection {
  public:
    /// Opens an existing file, without SQLite's own mutexes. `vfs` names the sqlite3_vfs to use; null is the
    /// default.
    [[nodiscard]] static protocol::Result<std::unique_ptr<Connection>> open(
        const std::filesystem::path& file, Access access = Access::read_write, const char* vfs = nullptr);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] protocol::Result<Statement> prepare(const std::string& sql) const;
    /// Runs one or more statements and ignores their rows.
    [[nodiscard]] protocol::Result<void> run(const std::string& sql) const;
    /// Returns the first column of the first row; 0 or an empty text when there is no row.
    [[nodiscard]] protocol::Result<std::int64_t> integer(const std::string& sql) const;
    [[nodiscard]] protocol::Result<std::string> text(const std::string& sql) const;

    /// Reads or writes part of a blob in place, without a second copy in SQLite's buffers.
    [[nodiscard]] protocol::Result<void> read_blob(const char* table, const char* column, std::int64_t row,
                                                   std::size_t offset, std::span<std::uint8_t> out) const;
    [[nodiscard]] protocol::Result<void> write_blob(const char* table, const char* column, std::int64_t row,
                                                    std::size_t offset, protocol::ByteView bytes) const;

    [[nodiscard]] std::int64_t last_row() const;
    /// Returns how many rows the last writing statement has changed.
    [[nodiscard]] std::int64_t changes() const;
    [[nodiscard]] bool in_transaction() const;
    /// Returns true when the last call failed.
    [[nodiscard]] bool failed() const;
    /// Returns true when the last call failed because no space (or quota) was left.
    [[nodiscard]] bool failed_on_full_disk() const;
    /// Returns true when the last call failed because of what it was given: a constraint, a type, a size or a
    /// wrong call. All other failures are of the disk or of the moment, a damaged page that was read among
    /// them.
    [[nodiscard]] bool refused_the_value() const;
    /// Runs a checkpoint on `database`, which is "main" or the name of an attached one.
    [[nodiscard]] protocol::Result<void> checkpoint(Checkpoint kind, const char* database = "main") const;
    /// Frees every page in the cache, which also wipes it.
    void drop_cache() const;

  private:
    friend class Statement;
    struct Closer {
        void operator()(sqlite3* database) const;
    };
    explicit Connection(std::filesystem::path file) : file_(std::move(file)) {}
    [[nodiscard]] tl::unexpected<protocol::Error> error() const;
    [[nodiscard]] tl::unexpected<protocol::Error> error(const std::string& text) const;
    [[nodiscard]] sqlite3_file* log_file(const char* database) const;

    std::filesystem::path file_;
    std::unique_ptr<sqlite3, Closer> database_;
};

}  // namespace unlearn::storage::sqlite
