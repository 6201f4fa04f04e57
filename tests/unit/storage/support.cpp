#include "tests/unit/storage/support.hpp"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <unistd.h>

#include "node/storage/wiping_memory.hpp"

namespace unlearn::storage::testing {

using namespace protocol;

NodeId node(std::uint32_t number) {
    static std::map<std::uint32_t, NodeId> known;
    auto [entry, is_new] = known.try_emplace(number);
    if (is_new) {
        Identity::SecretSeed seed{};
        std::memcpy(seed.data(), &number, sizeof number);
        entry->second = Identity::from_seed(seed).id();
    }
    return entry->second;
}

SignedBytes statement(std::string_view text) {
    SignedBytes out;
    out.bytes.assign(text.begin(), text.end());
    const auto digest = digest_of(out.bytes);
    std::copy(digest.value.begin(), digest.value.end(), out.signature.value.begin());
    return out;
}

SharedSeedBytes payload(std::uint64_t number, std::size_t size) {
    Bytes bytes(size);
    // Not a multiple of the step below: neighbouring numbers would give one sequence, shifted.
    std::uint64_t state = number * 0xD1342543DE82EF95u + 1;
    for (auto& byte : bytes) {
        // splitmix64, one byte of each number.
        std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        byte = static_cast<std::uint8_t>((z ^ (z >> 31)) >> 24);
    }
    return std::make_shared<const SeedBytes>(std::move(bytes));
}

PutHeldSeed held(std::uint32_t owner, std::uint64_t version, std::size_t size) {
    return {node(owner), SeedVersion{version}, statement("record " + std::to_string(version)),
            payload(owner * 1000003ULL + version, size)};
}

PutTombstone tombstone(std::uint32_t owner, std::string_view text) {
    return {node(owner), statement(text), SeedVersion{owner + 1ULL}};
}

Binding binding() {
    return {node(4000000000u), NetworkId{}};
}

std::unique_ptr<Store> open(const std::filesystem::path& directory) {
    auto store = Store::open(directory, binding());
    if (!store) throw std::runtime_error(store.error().text());
    return std::move(*store);
}

LoadedState load(Store& store) {
    auto loaded = store.load();
    if (!loaded) throw std::runtime_error(loaded.error().text());
    if (!loaded->damaged.empty()) throw std::runtime_error(loaded->damaged.front().detail);
    return std::move(loaded->state);
}

void apply(Store& store, std::vector<StoreOp> ops) {
    const auto done = store.apply(ops);
    if (!done) throw std::runtime_error(done.error().text());
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void run_sql(const std::filesystem::path& directory, const std::string& sql) {
    if (!install_wiping_memory()) throw std::runtime_error("SQLite was started before");
    sqlite3* database = nullptr;
    sqlite3_open((directory / "state.db").c_str(), &database);
    const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    const std::string message = sqlite3_errmsg(database);
    sqlite3_close(database);
    if (code != SQLITE_OK) throw std::runtime_error(message);
}

namespace {

constexpr std::uint64_t kMask = 0xA5C3F00F5A3C96E1u;
constexpr std::size_t kFilterBits = 22;

std::size_t filter_slot(std::uint64_t masked) {
    return (masked * 0x9E3779B97F4A7C15u) >> (64 - kFilterBits);
}

std::uint64_t masked_group(const std::uint8_t* bytes) {
    std::uint64_t group = 0;
    std::memcpy(&group, bytes, sizeof group);
    return group ^ kMask;
}

}  // namespace

Traces::Traces(ByteView payload) : filter_(std::size_t{1} << kFilterBits) {
    for (std::size_t i = 0; i + 8 <= payload.size(); i += 8) {
        const auto group = masked_group(payload.data() + i);
        masked_.insert(group);
        filter_[filter_slot(group)] = true;
    }
}

bool Traces::is_group(const std::uint8_t* bytes) const {
    const auto group = masked_group(bytes);
    return filter_[filter_slot(group)] && masked_.contains(group);
}

std::size_t Traces::count_runs(ByteView bytes, std::size_t groups) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i + 8 * groups <= bytes.size(); ++i) {
        std::size_t length = 0;
        while (length < groups && is_group(bytes.data() + i + 8 * length))
            ++length;
        if (length == groups) ++found;
    }
    return found;
}

std::size_t Traces::count_in(ByteView bytes) const {
    return count_runs(bytes, 1);
}

std::size_t Traces::count_in_file(const std::filesystem::path& file) const {
    // Mapped for reading only: a copy on the heap would be found by a later search of the memory.
    const auto size = std::filesystem::file_size(file);
    if (size == 0) return 0;
    const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, opened, 0);
    if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + file.string());
    const auto found = count_in({static_cast<const std::uint8_t*>(mapped), size});
    ::munmap(mapped, size);
    // Closing state.db drops SQLite's own locks on it, which does no harm: the store's lock is on the folder.
    ::close(opened);
    return found;
}

std::size_t Traces::count_in_folder(const std::filesystem::path& directory) const {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (entry.is_regular_file()) found += count_in_file(entry.path());
    return found;
}

std::size_t Traces::windows_in_own_memory() const {
    // Read in pieces, which overlap by a window, into a buffer that is not itself searched.
    constexpr std::size_t kPiece = 1 << 20;
    constexpr std::size_t kGroupsInWindow = 7;  // at the least, wherever 64 bytes begin
    auto* buffer = static_cast<std::uint8_t*>(
        ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    const auto buffer_begin = reinterpret_cast<std::uint64_t>(buffer);
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    std::ifstream maps("/proc/self/maps");
    std::size_t found = 0;
    for (std::string line; std::getline(maps, line);) {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        char mode[5] = {};
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, mode) != 3 || mode[1] != 'w') continue;
        // The kernel may show the buffer and what lies beside it as one.
        for (const auto& [from, to] : {std::pair{begin, std::min(end, buffer_begin)},
                                       std::pair{std::max(begin, buffer_begin + kPiece), end}})
            for (std::uint64_t at = from; at < to; at += kPiece - 63) {
                const auto got =
                    ::pread(memory, buffer, std::min<std::uint64_t>(kPiece, to - at), static_cast<off_t>(at));
                if (got <= 0) break;
                found += count_runs({buffer, static_cast<std::size_t>(got)}, kGroupsInWindow);
            }
    }
    ::close(memory);
    ::munmap(buffer, kPiece);
    return found;
}

}  // namespace unlearn::storage::testing
