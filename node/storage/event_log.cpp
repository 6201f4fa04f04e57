#include "node/storage/event_log.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "node/storage/log_limits.hpp"
#include "node/storage/stopped_state.hpp"

namespace unlearn::storage {

using namespace protocol;

namespace {

void append_to(Bytes& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

void append_to(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_to(Bytes& out, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(number >> shift));
}

Digest origin_of(ByteView self, ByteView network) {
    Bytes out;
    append_to(out, std::string_view("unlearnd log 1"));
    append_to(out, self);
    append_to(out, network);
    return digest_of(out);
}

/// An entry as it is hashed. The content of its fields is not checked.
struct RawEntry {
    std::uint64_t seq = 0;
    std::uint64_t at = 0;
    std::uint64_t version = 0;
    ByteView subject;
    std::string kind;
    ByteView previous;
    ByteView hash;
};

Digest hash_of(const RawEntry& entry) {
    Bytes out;
    append_to(out, std::string_view("unlearnd log entry 1"));
    append_to(out, entry.previous);
    append_to(out, entry.seq);
    append_to(out, entry.at);
    append_to(out, entry.version);
    out.push_back(static_cast<std::uint8_t>(entry.subject.size()));
    append_to(out, entry.subject);
    append_to(out, std::string_view(entry.kind));
    return digest_of(out);
}

/// Reads the current row. The result is valid until the next step.
RawEntry raw_entry(const sqlite::Statement& row) {
    const auto number = [&row](int column) { return static_cast<std::uint64_t>(row.integer(column)); };
    return {number(0), number(1), number(4), row.blob(3), row.text(2), row.blob(5), row.blob(6)};
}

Result<LogEntry> parse(const RawEntry& raw) {
    LogEntry entry;
    entry.seq = raw.seq;
    entry.at = WallTime{std::chrono::seconds{static_cast<std::int64_t>(raw.at)}};
    entry.kind = raw.kind;
    entry.version = raw.version;
    if (!raw.subject.empty()) {
        auto id = NodeId::from_bytes(raw.subject);
        if (!id) return tl::unexpected(id.error());
        entry.subject = *id;
    }
    for (const auto& [bytes, digest] :
         {std::pair{raw.previous, &entry.previous}, std::pair{raw.hash, &entry.hash}}) {
        auto value = Digest::from(bytes);
        if (!value) return tl::unexpected(value.error());
        *digest = *value;
    }
    return entry;
}

bool same(ByteView a, const Digest& b) {
    return std::ranges::equal(a, b.view());
}

/// Returns what is wrong with an entry that should follow number `seq`, whose hash is `previous`; an empty
/// text when nothing is. `hash` becomes the hash of its fields.
std::string problem_with(const RawEntry& entry, std::uint64_t seq, const Digest& previous, Digest& hash) {
    if (entry.seq != seq + 1)
        return "is missing, the next is number " + std::to_string(static_cast<std::int64_t>(entry.seq));
    if (!same(entry.previous, previous)) return "does not follow from the one before";
    hash = hash_of(entry);
    if (!same(entry.hash, hash)) return "does not have the hash of its fields";
    return {};
}

/// Selects the entries from number `first` on.
Result<sqlite::Statement> select_from(const sqlite::Connection& connection, std::int64_t first,
                                      std::size_t limit) {
    auto select = connection.prepare(schema::kReadLog);
    if (select) select->bind(1, first).bind(2, static_cast<std::int64_t>(limit));
    return select;
}

}  // namespace

std::string_view name_of(LogKind kind) {
    switch (kind) {
        case LogKind::tombstone:
            return "tombstone";
        case LogKind::seed_installed:
            return "seed_installed";
        case LogKind::seed_erased:
            return "seed_erased";
        case LogKind::recipient:
            return "recipient";
        case LogKind::receipt:
            return "receipt";
        case LogKind::seed_published:
            return "seed_published";
        case LogKind::exit_begun:
            return "exit_begun";
        case LogKind::left_receipt:
            return "left_receipt";
        case LogKind::equivocation:
            return "equivocation";
        case LogKind::peer_added:
            return "peer_added";
        case LogKind::peer_removed:
            return "peer_removed";
        case LogKind::retired:
            return "retired";
        case LogKind::expelled:
            return "expelled";
        case LogKind::succession:
            return "succession";
    }
    return "unknown";
}

WallTime wall_time_now() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<void> EventLog::prepare(const sqlite::Connection& connection, const Binding& binding) {
    origin_ = origin_of(binding.self.view(), binding.network.view());
    for (const auto& [statement, sql] :
         {std::pair{&select_head_, schema::kLogEnd}, std::pair{&insert_entry_, schema::kAppendToLog},
          std::pair{&update_head_, schema::kSetLogHead}}) {
        auto prepared = connection.prepare(sql);
        if (!prepared) return tl::unexpected(prepared.error());
        *statement = std::move(*prepared);
    }
    return {};
}

void EventLog::close() {
    select_head_.reset();
    insert_entry_.reset();
    update_head_.reset();
}

Result<EventLog::Head> EventLog::read_head() {
    const auto row = select_head_->step();
    if (!row) return tl::unexpected(row.error());
    Head head{0, origin_};
    dropped_ = head;
    if (*row) {
        dropped_.seq = static_cast<std::uint64_t>(select_head_->integer(2));
        if (dropped_.seq > 0) dropped_.hash = Digest::from(select_head_->blob(3)).value_or(origin_);
        head.seq = static_cast<std::uint64_t>(select_head_->integer(0));
        // Verification reports a damaged head. It must not prevent an exit from being stored.
        if (head.seq > 0) head.hash = Digest::from(select_head_->blob(1)).value_or(origin_);
    }
    select_head_->reset();
    return head;
}

Result<void> EventLog::append(LogKind kind, const std::optional<NodeId>& subject, std::uint64_t version) {
    if (!head_) {
        const auto read = read_head();
        if (!read) return tl::unexpected(read.error());
        head_ = *read;
    }
    RawEntry entry;
    entry.seq = head_->seq + 1;
    entry.at = static_cast<std::uint64_t>(clock_().time_since_epoch().count());
    entry.version = version;
    if (subject) entry.subject = subject->view();
    entry.kind = name_of(kind);
    entry.previous = head_->hash.view();
    const Digest hash = hash_of(entry);
    auto inserted = insert_entry_->bind(1, static_cast<std::int64_t>(entry.seq))
                        .bind(2, static_cast<std::int64_t>(entry.at))
                        .bind_text(3, entry.kind)
                        .bind(4, entry.subject)
                        .bind(5, static_cast<std::int64_t>(version))
                        .bind(6, entry.previous)
                        .bind(7, hash.view())
                        .run();
    if (inserted) head_ = Head{entry.seq, hash};
    return inserted;
}

Result<void> EventLog::drop_oldest(const sqlite::Connection& connection) {
    if (!head_ || head_->seq <= dropped_.seq || head_->seq - dropped_.seq <= limit_) return {};
    const std::uint64_t too_many = head_->seq - dropped_.seq - (limit_ - limit_ / 10);
    const std::uint64_t count = std::min(too_many, kLogDroppedAtOnce);
    auto select = select_from(connection, static_cast<std::int64_t>(dropped_.seq) + 1, count);
    if (!select) return tl::unexpected(select.error());
    Head last = dropped_;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto row = select->step();
        if (!row) return tl::unexpected(row.error());
        Digest hash;
        if (!*row || !problem_with(raw_entry(*select), last.seq, last.hash, hash).empty()) return {};
        last = Head{last.seq + 1, hash};
    }
    select->reset();
    auto drop = connection.prepare(schema::kDropFromLog);
    if (!drop) return tl::unexpected(drop.error());
    if (auto done = drop->bind(1, static_cast<std::int64_t>(last.seq)).run(); !done) return done;
    auto update = connection.prepare(schema::kSetLogDropped);
    if (!update) return tl::unexpected(update.error());
    return update->bind(1, static_cast<std::int64_t>(last.seq)).bind(2, last.hash.view()).run();
}

Result<void> EventLog::end() {
    if (!head_) return {};
    return update_head_->bind(1, static_cast<std::int64_t>(head_->seq)).bind(2, head_->hash.view()).run();
}

Result<void> LogVerifier::begin(const sqlite::Connection& connection) {
    auto meta = connection.prepare(schema::kLogOwner);
    if (!meta) return tl::unexpected(meta.error());
    if (const auto row = meta->step(); !row) return tl::unexpected(row.error());
    last_ = origin_of(meta->blob(0), meta->blob(1));
    // The state of a node that has left may be of a version whose log had no limit.
    const auto version = connection.integer("PRAGMA user_version");
    if (!version) return tl::unexpected(version.error());
    if (*version < schema::kLogLimitVersion) return {};
    auto dropped = connection.prepare(schema::kLogDropped);
    if (!dropped) return tl::unexpected(dropped.error());
    if (const auto row = dropped->step(); !row) return tl::unexpected(row.error());
    good_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, dropped->integer(0)));
    // A damaged hash fits no entry.
    if (good_ > 0) last_ = Digest::from(dropped->blob(1)).value_or(Digest{});
    result_.dropped = good_;
    return {};
}

Result<bool> LogVerifier::advance(const sqlite::Connection& connection, std::size_t limit) {
    // The first piece starts below 1, because an entry there would not belong to the log.
    std::int64_t first = std::numeric_limits<std::int64_t>::min();
    if (last_)
        first = static_cast<std::int64_t>(good_ + 1);
    else if (auto begun = begin(connection); !begun)
        return tl::unexpected(begun.error());
    auto select = select_from(connection, first, limit);
    if (!select) return tl::unexpected(select.error());
    for (std::size_t seen = 0;; ++seen) {
        const auto row = select->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) {
            if (seen == limit) return false;
            return finish(connection, {});
        }
        Digest hash;
        if (auto problem = problem_with(raw_entry(*select), good_, *last_, hash); !problem.empty())
            return finish(connection, std::move(problem));
        last_ = hash;
        ++good_;
    }
}

Result<bool> LogVerifier::finish(const sqlite::Connection& connection, std::string problem) {
    const auto entries = connection.integer(schema::kCountLog);
    if (!entries) return tl::unexpected(entries.error());
    result_.entries = static_cast<std::uint64_t>(*entries);
    std::uint64_t bad = good_ + 1;
    if (problem.empty()) {
        auto head = connection.prepare(schema::kLogHead);
        if (!head) return tl::unexpected(head.error());
        if (const auto row = head->step(); !row) return tl::unexpected(row.error());
        const auto seq = static_cast<std::uint64_t>(head->integer(0));
        if (seq > good_) {
            problem = "is missing, the newest was number " + std::to_string(seq);
        } else if (seq < good_) {
            bad = seq + 1;
            problem = "is after the newest, number " + std::to_string(seq);
        } else if (good_ > 0 && !same(head->blob(1), *last_)) {
            bad = good_;
            problem = "is not the newest that was written";
        }
    }
    if (!problem.empty()) {
        result_.first_bad = bad;
        result_.detail = "log entry " + std::to_string(bad) + " " + problem;
    }
    return true;
}

Result<LogCheck> verify_all(const sqlite::Connection& connection) {
    constexpr std::size_t kPiece = 10000;
    LogVerifier verifier;
    while (true) {
        const auto done = verifier.advance(connection, kPiece);
        if (!done) return tl::unexpected(done.error());
        if (*done) return verifier.result();
    }
}

Result<std::vector<LogEntry>> read_entries(const sqlite::Connection& connection, std::uint64_t after,
                                           std::size_t limit) {
    constexpr std::uint64_t kLast = std::numeric_limits<std::int64_t>::max();
    std::vector<LogEntry> out;
    if (after >= kLast) return out;
    auto select = select_from(connection, static_cast<std::int64_t>(after) + 1, limit);
    if (!select) return tl::unexpected(select.error());
    while (true) {
        const auto row = select->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return out;
        auto entry = parse(raw_entry(*select));
        if (!entry)
            return fail(ErrorCode::internal, "log entry " + std::to_string(select->integer(0)) +
                                                 " is not readable: " + entry.error().detail);
        out.push_back(std::move(*entry));
    }
}

Result<LogCheck> verify_log_of(const std::filesystem::path& directory) {
    const auto state = open_stopped(directory, schema::kLogVersion);
    if (!state) return tl::unexpected(state.error());
    return verify_all(*state->connection);
}

}  // namespace unlearn::storage
