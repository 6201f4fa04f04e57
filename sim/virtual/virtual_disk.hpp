#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/learning/data/random.hpp"
#include "node/storage/disk.hpp"
#include "protocol/bytes.hpp"

struct sqlite3_vfs;

namespace unlearn::sim::virtual_world {

/// The disk of one machine, in memory and as bad as a real one: what was not synced may be lost or torn in a
/// power cut, space runs out, and reads and writes fail. SQLite uses it through a VFS of its own. Only one
/// thread may use it. The caches of the storage above it must not survive a crash, so the store must be
/// closed then.
class VirtualDisk final : public storage::Disk {
  public:
    /// `seed` determines what is lost and torn, and what fails.
    explicit VirtualDisk(std::uint64_t seed);
    ~VirtualDisk() override;
    VirtualDisk(const VirtualDisk&) = delete;
    VirtualDisk& operator=(const VirtualDisk&) = delete;

    // ------------------------------------------------------------ faults
    /// How many bytes fit, including the reserve.
    std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();
    /// The probability that a write, a sync or a read fails.
    double error_rate = 0.0;

    enum class Crash { before, torn, after };
    /// The machine dies at the operation after `operations` more: before it, in the middle of it, or right
    /// after it. Reads do not count as operations.
    void crash_at(std::uint64_t operations, Crash how);
    void cancel_crash() { crash_in_.reset(); }
    /// From now on everything fails, until `restart`.
    void crash() { crashed_ = true; }
    [[nodiscard]] bool crashed() const { return crashed_; }
    /// Call this after the store was closed. With `power_lost`, each piece that was not synced is kept, lost
    /// or torn, independently of the others. Without it, the operating system survived and has everything.
    void restart(bool power_lost);

    /// The number of writes, truncations, syncs, and files made and removed so far.
    [[nodiscard]] std::uint64_t operations() const { return operations_; }
    [[nodiscard]] std::uint64_t used() const;
    /// Whether the bytes are anywhere on the disk, including where a power cut would bring them back.
    [[nodiscard]] bool contains(protocol::ByteView bytes) const;
    /// Returns another disk with what this one would certainly have after a power cut.
    [[nodiscard]] std::unique_ptr<VirtualDisk> synced_copy() const;
    /// Removes everything.
    void format();
    /// Removes a file durably, even from a machine that is down.
    void take_away(const std::filesystem::path& file);
    /// Replaces the file `to` with a copy of `from`, durably, even on a machine that is down.
    void copy(const std::filesystem::path& from, const std::filesystem::path& to);

    // ------------------------------------------------------------ storage::Disk
    [[nodiscard]] const char* sqlite_vfs() const override { return name_.c_str(); }
    [[nodiscard]] protocol::Result<std::unique_ptr<Lock>> lock(
        const std::filesystem::path& directory) override;
    [[nodiscard]] protocol::Result<void> ensure_private_file(const std::filesystem::path& file) override;
    [[nodiscard]] protocol::Result<void> make_file(const std::filesystem::path& file) override;
    [[nodiscard]] protocol::Result<void> sync(const std::filesystem::path& file) override;
    void remove(const std::filesystem::path& file) override;
    [[nodiscard]] std::uint64_t size(const std::filesystem::path& file) const override;
    [[nodiscard]] protocol::Result<void> allocate(const std::filesystem::path& file,
                                                  std::uint64_t bytes) override;
    void cut(const std::filesystem::path& file, std::uint64_t bytes, bool wait) override;

  private:
    friend struct VirtualFile;
    friend struct VirtualVfs;

    using Content = std::vector<std::uint8_t>;
    /// A write or a truncation that was not synced yet.
    struct Pending {
        std::uint64_t at = 0;
        Content bytes;
        bool truncates = false;
    };
    struct File {
        Content content;
        Content synced;
        std::vector<Pending> pending;
        bool name_synced = false;
    };
    using Files = std::map<std::string, std::shared_ptr<File>>;

    /// Counts an operation and returns how much of it happens: all, a part, or nothing.
    enum class Extent { all, part, none };
    [[nodiscard]] Extent begin_operation();
    [[nodiscard]] bool fails_now();
    /// Makes a file. Returns null if the machine is down, or dies before it is made.
    [[nodiscard]] std::shared_ptr<File> make(const std::string& name);
    /// Removes a file. Returns whether it was there and is now gone. A power cut may bring it back until
    /// `sync_names`.
    bool take_out(const std::string& name);
    /// Makes durable which files were made and removed, everywhere on the disk.
    void sync_names();
    [[nodiscard]] bool write(File& file, std::uint64_t at, Content bytes);
    [[nodiscard]] bool truncate(File& file, std::uint64_t size);
    [[nodiscard]] bool sync_file(File& file);
    [[nodiscard]] bool has_room(const File& file, std::uint64_t new_size) const;
    static void apply(Content& content, const Pending& pending);
    void tear(File& file);

    std::string name_;
    std::unique_ptr<sqlite3_vfs> vfs_;
    learning::RandomStream random_;
    Files files_;
    Files removed_;                                   ///< removed, but a power cut may bring them back
    std::map<std::string, std::uint64_t> allocated_;  ///< files that only reserve room
    std::set<std::string> locked_;
    std::optional<std::uint64_t> crash_in_;
    Crash crash_how_ = Crash::before;
    bool crashed_ = false;
    std::uint64_t operations_ = 0;
};

/// Restarts SQLite's random stream, of which each process has only one. A repeatable world calls this first.
void restart_sqlite_randomness();

}  // namespace unlearn::sim::virtual_world
