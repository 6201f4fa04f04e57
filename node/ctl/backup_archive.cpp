#include "node/ctl/backup_archive.hpp"

#include <algorithm>
#include <iterator>

#include <unistd.h>

#include "node/ctl/json_file.hpp"
#include "node/storage/sqlite.hpp"

namespace unlearn::ctl {
namespace {

using protocol::SeedBytes;
using storage::sqlite::Connection;

constexpr const char* kCreate =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL;"
    "CREATE TABLE sqlar(name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB)";

/// The names are ours and need no escaping. A size that equals that of the data means that it is not
/// compressed.
std::string insertion(const std::string& name) {
    return "INSERT INTO sqlar VALUES ('" + name + "', 33152, strftime('%s', 'now'), ?1, ?2)";
}

protocol::Result<void> fill(const std::filesystem::path& archive, const BackupFiles& files) {
    const auto database = Connection::open(archive);
    if (!database) return tl::unexpected(database.error());
    if (auto made = (*database)->run(kCreate); !made) return made;
    for (const auto& [name, content] : files) {
        auto insert = (*database)->prepare(insertion(name));
        if (!insert) return tl::unexpected(insert.error());
        insert->bind(1, static_cast<std::int64_t>(content.size())).bind(2, content.view());
        if (auto done = insert->run(); !done) return done;
    }
    return {};
}

protocol::Result<BackupFiles> load(const std::filesystem::path& archive) {
    const auto database = Connection::open(archive);
    if (!database) return tl::unexpected(database.error());
    BackupFiles files;
    for (const char* name : kBackedUpFiles) {
        auto select =
            (*database)->prepare("SELECT sz, data FROM sqlar WHERE name = '" + std::string(name) + "'");
        if (!select) return tl::unexpected(select.error());
        const auto row = select->step();
        if (!row) return tl::unexpected(row.error());
        const std::string missing = archive.string() + ": has no usable " + name;
        if (!*row) return protocol::fail(protocol::ErrorCode::malformed, missing);
        const auto content = select->blob(1);
        if (static_cast<std::int64_t>(content.size()) != select->integer(0))
            return protocol::fail(protocol::ErrorCode::malformed, missing);
        files.emplace(name, SeedBytes(protocol::Bytes(content.begin(), content.end())));
    }
    return files;
}

}  // namespace

Outcome<void> write_backup(const std::filesystem::path& archive, const BackupFiles& files) {
    if (auto made = create_file(archive, {}, 0600); !made) return made;
    if (auto filled = fill(archive, files); !filled) {
        ::unlink(archive.c_str());
        return fail_with(ExitCode::failed, filled.error().detail);
    }
    return {};
}

Outcome<BackupFiles> read_backup(const std::filesystem::path& archive) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(archive, error))
        return fail_with(ExitCode::bad_input,
                         archive.string() + ": " + (error ? error.message() : "is not a regular file"));
    auto files = load(archive);
    if (!files) return fail_with(ExitCode::bad_input, "not a backup of unlearnctl: " + files.error().detail);
    return std::move(*files);
}

}  // namespace unlearn::ctl
