#include "node/ctl/network_ledger.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

#include "node/ctl/json_file.hpp"
#include "node/storage/identity_file.hpp"
#include "protocol/network_statements.hpp"

namespace unlearn::ctl {

using namespace unlearn::protocol;
using runtime::NetworkFile;
using runtime::NetworkFileKind;
using runtime::NetworkFileStatement;

Outcome<NetworkLedger> NetworkLedger::open(const std::filesystem::path& key_file) {
    auto key = storage::load_identity(key_file);
    if (!key) return fail_with(ExitCode::bad_input, key.error().detail);
    storage::FileDescriptor lock(::open(key_file.c_str(), O_RDONLY | O_CLOEXEC));
    while (lock.valid() && ::flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
    auto file = key_file;
    file += ".ledger";
    NetworkLedger ledger(file, std::move(*key), std::move(lock));
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return ledger;
    const auto stored = read_json_file(file);
    if (!stored) return tl::unexpected(stored.error());
    auto read = runtime::read_network_file(*stored);
    if (!read) return fail_with(ExitCode::bad_input, file.string() + ": " + read.error().text());
    ledger.network_ = read->network;
    ledger.statements_ = std::move(read->statements);
    for (const auto& statement : ledger.statements_)
        ledger.last_number_ =
            std::max(ledger.last_number_, runtime::describe(statement).value("number", std::uint64_t{0}));
    return ledger;
}

Outcome<void> NetworkLedger::use_network(const NetworkId& network) {
    if (network_ && *network_ != network)
        return fail_with(ExitCode::bad_input, file_.string() + ": this key signs for network " +
                                                  to_hex(network_->view()).substr(0, 16) + ", not for " +
                                                  to_hex(network.view()).substr(0, 16));
    network_ = network;
    return {};
}

std::optional<NetworkFileStatement> NetworkLedger::succession() const {
    for (const auto& statement : statements_)
        if (const auto read = read_succession(statement.statement);
            statement.kind == NetworkFileKind::succession && read && read->network_key == key_.id())
            return statement;
    return std::nullopt;
}

std::optional<NodeId> NetworkLedger::next_key() const {
    const auto statement = succession();
    return statement ? std::optional(read_succession(statement->statement)->next) : std::nullopt;
}

bool NetworkLedger::is_successor() const {
    return std::any_of(statements_.begin(), statements_.end(), [&](const NetworkFileStatement& statement) {
        const auto read = read_succession(statement.statement);
        return statement.kind == NetworkFileKind::succession && read && read->next == key_.id();
    });
}

std::set<NodeId> NetworkLedger::expelled() const {
    std::set<NodeId> out;
    for (const auto& statement : statements_)
        if (const auto read = read_revocation(statement.statement);
            statement.kind == NetworkFileKind::revocation && read && read->network_key == key_.id())
            out.insert(read->member);
    return out;
}

std::uint64_t NetworkLedger::next_number(WallTime now) {
    const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(1, now.time_since_epoch().count()));
    last_number_ = std::max(time, last_number_ + 1);
    return last_number_;
}

Outcome<void> NetworkLedger::save() const {
    return replace_json_file(file_,
                             runtime::make_network_file({network_.value_or(NetworkId{}), statements_}));
}

}  // namespace unlearn::ctl
