#include "sim/virtual/virtual_disk.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include <sqlite3.h>

#include "node/storage/wiping_memory.hpp"

namespace unlearn::sim::virtual_world {

using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

namespace {

/// The unit that a disk writes as one.
constexpr std::size_t kSector = 512;
constexpr int kMaxPath = 1024;

tl::unexpected<protocol::Error> disk_error(const std::filesystem::path& file, std::string_view what) {
    return fail(ErrorCode::internal, file.string() + ": " + std::string(what));
}

}  // namespace

/// An open file as SQLite sees it. It is made in SQLite's own memory.
struct VirtualFile {
    sqlite3_file base;
    VirtualDisk* disk;
    std::shared_ptr<VirtualDisk::File> file;

    static VirtualFile& of(sqlite3_file* opened) { return *reinterpret_cast<VirtualFile*>(opened); }

    static int close(sqlite3_file* opened) {
        of(opened).file.reset();
        return SQLITE_OK;
    }
    static int read(sqlite3_file* opened, void* out, int amount, sqlite3_int64 at) {
        auto& self = of(opened);
        if (self.disk->crashed_ || self.disk->fails_now()) return SQLITE_IOERR_READ;
        const auto& content = self.file->content;
        const auto wanted = static_cast<std::size_t>(amount);
        const auto from = std::min(content.size(), static_cast<std::size_t>(at));
        const auto got = std::min(content.size() - from, wanted);
        if (got > 0) std::memcpy(out, content.data() + from, got);
        if (got == wanted) return SQLITE_OK;
        std::memset(static_cast<char*>(out) + got, 0, wanted - got);
        return SQLITE_IOERR_SHORT_READ;
    }
    static int write(sqlite3_file* opened, const void* bytes, int amount, sqlite3_int64 at) {
        auto& self = of(opened);
        const auto* data = static_cast<const std::uint8_t*>(bytes);
        const auto from = static_cast<std::uint64_t>(at);
        if (!self.disk->has_room(*self.file, from + static_cast<std::uint64_t>(amount))) return SQLITE_FULL;
        return self.disk->write(*self.file, from, {data, data + amount}) ? SQLITE_OK : SQLITE_IOERR_WRITE;
    }
    static int truncate(sqlite3_file* opened, sqlite3_int64 size) {
        auto& self = of(opened);
        return self.disk->truncate(*self.file, static_cast<std::uint64_t>(size)) ? SQLITE_OK
                                                                                 : SQLITE_IOERR_TRUNCATE;
    }
    static int sync(sqlite3_file* opened, int) {
        auto& self = of(opened);
        return self.disk->sync_file(*self.file) ? SQLITE_OK : SQLITE_IOERR_FSYNC;
    }
    static int size(sqlite3_file* opened, sqlite3_int64* size) {
        auto& self = of(opened);
        if (self.disk->crashed_) return SQLITE_IOERR_FSTAT;
        *size = static_cast<sqlite3_int64>(self.file->content.size());
        return SQLITE_OK;
    }
    // There is only one process, and the folder's lock keeps out a second store.
    static int lock(sqlite3_file*, int) { return SQLITE_OK; }
    static int check_reserved_lock(sqlite3_file*, int* held) {
        *held = 0;
        return SQLITE_OK;
    }
    static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
    static int sector_size(sqlite3_file*) { return kSector; }
    static int characteristics(sqlite3_file*) { return 0; }

    static const sqlite3_io_methods* methods() {
        static const sqlite3_io_methods all = [] {
            sqlite3_io_methods m{};
            m.iVersion = 1;  // no shared memory: only this store uses its write-ahead log
            m.xClose = close;
            m.xRead = read;
            m.xWrite = write;
            m.xTruncate = truncate;
            m.xSync = sync;
            m.xFileSize = size;
            m.xLock = lock;
            m.xUnlock = lock;
            m.xCheckReservedLock = check_reserved_lock;
            m.xFileControl = control;
            m.xSectorSize = sector_size;
            m.xDeviceCharacteristics = characteristics;
            return m;
        }();
        return &all;
    }
};

struct VirtualVfs {
    static VirtualDisk& of(sqlite3_vfs* vfs) { return *static_cast<VirtualDisk*>(vfs->pAppData); }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* out_flags) {
        auto& disk = of(vfs);
        out->pMethods = nullptr;
        if (disk.crashed_) return SQLITE_CANTOPEN;
        std::shared_ptr<VirtualDisk::File> file;
        if (name == nullptr)
            file = std::make_shared<VirtualDisk::File>();
        else if (const auto found = disk.files_.find(name); found != disk.files_.end())
            file = found->second;
        else if ((flags & SQLITE_OPEN_CREATE) == 0)
            return SQLITE_CANTOPEN;
        else if (file = disk.make(name); disk.crashed_)
            return SQLITE_CANTOPEN;
        auto* opened = new (out) VirtualFile{{VirtualFile::methods()}, &disk, std::move(file)};
        static_cast<void>(opened);
        if (out_flags != nullptr) *out_flags = flags;
        return SQLITE_OK;
    }
    static int remove(sqlite3_vfs* vfs, const char* name, int durably) {
        auto& disk = of(vfs);
        if (!disk.files_.contains(name)) return SQLITE_IOERR_DELETE_NOENT;
        if (!disk.take_out(name) || disk.crashed_) return SQLITE_IOERR_DELETE;
        if (durably != 0) disk.sync_names();
        return SQLITE_OK;
    }
    static int access(sqlite3_vfs* vfs, const char* name, int, int* there) {
        *there = of(vfs).files_.contains(name) ? 1 : 0;
        return SQLITE_OK;
    }
    static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
        sqlite3_snprintf(size, out, "%s", name);
        return SQLITE_OK;
    }
    static int randomness(sqlite3_vfs* vfs, int size, char* out) {
        for (int i = 0; i < size; ++i)
            out[i] = static_cast<char>(of(vfs).random_.next());
        return size;
    }
    static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
    static int current_time(sqlite3_vfs*, double* days) {
        *days = 2'460'000.5;  // nothing that is stored asks SQLite for the time
        return SQLITE_OK;
    }
    static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

VirtualDisk::VirtualDisk(std::uint64_t seed) : vfs_(std::make_unique<sqlite3_vfs>()), random_(seed) {
    static std::uint64_t made = 0;
    name_ = "virtual-disk-" + std::to_string(made++);
    [[maybe_unused]] const auto installed = storage::install_wiping_memory();
    assert(installed);
    *vfs_ = sqlite3_vfs{};
    vfs_->iVersion = 1;
    vfs_->szOsFile = sizeof(VirtualFile);
    vfs_->mxPathname = kMaxPath;
    vfs_->zName = name_.c_str();
    vfs_->pAppData = this;
    vfs_->xOpen = VirtualVfs::open;
    vfs_->xDelete = VirtualVfs::remove;
    vfs_->xAccess = VirtualVfs::access;
    vfs_->xFullPathname = VirtualVfs::full_path;
    vfs_->xRandomness = VirtualVfs::randomness;
    vfs_->xSleep = VirtualVfs::sleep;
    vfs_->xCurrentTime = VirtualVfs::current_time;
    vfs_->xGetLastError = VirtualVfs::last_error;
    [[maybe_unused]] const int registered = sqlite3_vfs_register(vfs_.get(), 0);
    assert(registered == SQLITE_OK);
}

VirtualDisk::~VirtualDisk() {
    sqlite3_vfs_unregister(vfs_.get());
}

// ------------------------------------------------------------ what SQLite does

VirtualDisk::Extent VirtualDisk::begin_operation() {
    if (crashed_) return Extent::none;
    ++operations_;
    if (!crash_in_) return Extent::all;
    if (*crash_in_ > 0) {
        --*crash_in_;
        return Extent::all;
    }
    crash_in_.reset();
    crashed_ = true;
    switch (crash_how_) {
        case Crash::before:
            return Extent::none;
        case Crash::torn:
            return Extent::part;
        case Crash::after:
            return Extent::all;
    }
    return Extent::none;
}

bool VirtualDisk::fails_now() {
    return error_rate > 0.0 && random_.uniform() < error_rate;
}

void VirtualDisk::apply(Content& content, const Pending& pending) {
    if (pending.truncates) {
        content.resize(std::min<std::size_t>(content.size(), pending.at));
        return;
    }
    content.resize(std::max<std::size_t>(content.size(), pending.at + pending.bytes.size()));
    std::copy(pending.bytes.begin(), pending.bytes.end(),
              content.begin() + static_cast<std::ptrdiff_t>(pending.at));
}

std::shared_ptr<VirtualDisk::File> VirtualDisk::make(const std::string& name) {
    if (begin_operation() != Extent::all) return nullptr;
    return files_[name] = std::make_shared<File>();
}

bool VirtualDisk::take_out(const std::string& name) {
    const auto found = files_.find(name);
    if (found == files_.end() || begin_operation() != Extent::all) return false;
    // If the name of this file was never synced, a power cut may lose it. What the cut brings back is then an
    // older file of this name, if there is one.
    if (found->second->name_synced || !removed_.contains(name)) removed_[name] = std::move(found->second);
    files_.erase(found);
    return true;
}

void VirtualDisk::sync_names() {
    for (auto& [name, file] : files_)
        file->name_synced = true;
    removed_.clear();
}

bool VirtualDisk::write(File& file, std::uint64_t at, Content bytes) {
    if (!crashed_ && fails_now()) return false;
    const Extent extent = begin_operation();
    if (extent == Extent::none) return false;
    if (extent == Extent::part) bytes.resize(bytes.size() / 2);
    file.pending.push_back({at, std::move(bytes), false});
    apply(file.content, file.pending.back());
    return !crashed_;
}

bool VirtualDisk::truncate(File& file, std::uint64_t size) {
    if (!crashed_ && fails_now()) return false;
    if (begin_operation() != Extent::all) return false;
    file.pending.push_back({size, {}, true});
    apply(file.content, file.pending.back());
    return !crashed_;
}

bool VirtualDisk::sync_file(File& file) {
    if (!crashed_ && fails_now()) return false;
    const Extent extent = begin_operation();
    if (extent == Extent::none) return false;
    const auto done = extent == Extent::all ? file.pending.size() : file.pending.size() / 2;
    for (std::size_t i = 0; i < done; ++i)
        apply(file.synced, file.pending[i]);
    file.pending.erase(file.pending.begin(), file.pending.begin() + static_cast<std::ptrdiff_t>(done));
    // Like SQLite and real_disk(), this syncs the folder with the first sync of a new file.
    if (!file.name_synced) sync_names();
    return !crashed_;
}

bool VirtualDisk::has_room(const File& file, std::uint64_t new_size) const {
    if (new_size <= file.content.size()) return true;
    return used() + (new_size - file.content.size()) <= capacity;
}

// ------------------------------------------------------------ crashes

void VirtualDisk::crash_at(std::uint64_t operations, Crash how) {
    crash_in_ = operations;
    crash_how_ = how;
}

void VirtualDisk::tear(File& file) {
    for (const Pending& pending : file.pending) {
        const double luck = random_.uniform();
        if (luck < 0.4) {
            apply(file.synced, pending);
        } else if (luck < 0.7 && !pending.truncates) {
            // Only some of its sectors are written.
            for (std::size_t at = 0; at < pending.bytes.size(); at += kSector) {
                if (random_.below(2) == 0) continue;
                const auto end = std::min(pending.bytes.size(), at + kSector);
                apply(file.synced, {pending.at + at,
                                    {pending.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                     pending.bytes.begin() + static_cast<std::ptrdiff_t>(end)},
                                    false});
            }
        }
    }
    file.pending.clear();
    file.content = file.synced;
}

void VirtualDisk::restart(bool power_lost) {
    crashed_ = false;
    crash_in_.reset();
    locked_.clear();
    if (!power_lost) return;
    std::erase_if(files_,
                  [&](const auto& entry) { return !entry.second->name_synced && random_.below(2) == 0; });
    for (auto& [name, file] : removed_)
        if (file->name_synced && !files_.contains(name) && random_.below(2) == 0) files_.emplace(name, file);
    removed_.clear();
    for (auto& [name, file] : files_) {
        tear(*file);
        file->name_synced = true;
    }
}

std::uint64_t VirtualDisk::used() const {
    std::uint64_t bytes = 0;
    for (const auto& [name, file] : files_)
        bytes += file->content.size();
    for (const auto& [name, size] : allocated_)
        bytes += size;
    return bytes;
}

bool VirtualDisk::contains(protocol::ByteView bytes) const {
    const auto in = [&](const Content& content) {
        return !content.empty() &&
               ::memmem(content.data(), content.size(), bytes.data(), bytes.size()) != nullptr;
    };
    const auto in_file = [&](const auto& entry) {
        const File& file = *entry.second;
        return in(file.content) || in(file.synced) ||
               std::any_of(file.pending.begin(), file.pending.end(),
                           [&](const Pending& pending) { return in(pending.bytes); });
    };
    return std::any_of(files_.begin(), files_.end(), in_file) ||
           std::any_of(removed_.begin(), removed_.end(), in_file);
}

std::unique_ptr<VirtualDisk> VirtualDisk::synced_copy() const {
    auto copy = std::make_unique<VirtualDisk>(0);
    for (const auto& [name, file] : files_) {
        if (!file->name_synced) continue;
        auto& made = copy->files_[name] = std::make_shared<File>();
        made->content = made->synced = file->synced;
        made->name_synced = true;
    }
    return copy;
}

void VirtualDisk::take_away(const std::filesystem::path& file) {
    files_.erase(file.string());
    removed_.erase(file.string());
}

void VirtualDisk::format() {
    files_.clear();
    removed_.clear();
    allocated_.clear();
}

void VirtualDisk::copy(const std::filesystem::path& from, const std::filesystem::path& to) {
    const auto source = files_.find(from.string());
    if (source == files_.end()) return;
    auto file = std::make_shared<File>();
    file->content = source->second->content;
    file->synced = file->content;
    file->name_synced = true;
    files_[to.string()] = std::move(file);
}

void restart_sqlite_randomness() {
    static_cast<void>(storage::install_wiping_memory());  // must come before any other use of SQLite
    sqlite3_randomness(0, nullptr);
}

// ------------------------------------------------------------ storage::Disk

Result<std::unique_ptr<storage::Disk::Lock>> VirtualDisk::lock(const std::filesystem::path& directory) {
    struct Held final : Lock {
        Held(VirtualDisk& on, std::string what) : disk(on), name(std::move(what)) {}
        ~Held() override { disk.locked_.erase(name); }
        VirtualDisk& disk;
        std::string name;
    };
    if (crashed_) return disk_error(directory, "the machine is down");
    if (!locked_.insert(directory.string()).second)
        return fail(ErrorCode::internal, "folder is in use: " + directory.string());
    return std::make_unique<Held>(*this, directory.string());
}

Result<void> VirtualDisk::ensure_private_file(const std::filesystem::path& file) {
    if (!files_.contains(file.string())) static_cast<void>(make(file.string()));
    if (crashed_) return disk_error(file, "the machine is down");
    sync_names();
    return {};
}

Result<void> VirtualDisk::make_file(const std::filesystem::path& file) {
    if (files_.contains(file.string())) return disk_error(file, "cannot make: File exists");
    static_cast<void>(make(file.string()));
    if (crashed_) return disk_error(file, "the machine is down");
    return {};
}

Result<void> VirtualDisk::sync(const std::filesystem::path& file) {
    const auto found = files_.find(file.string());
    if (found == files_.end() || !sync_file(*found->second)) return disk_error(file, "cannot sync");
    return {};
}

void VirtualDisk::remove(const std::filesystem::path& file) {
    static_cast<void>(take_out(file.string()));
}

std::uint64_t VirtualDisk::size(const std::filesystem::path& file) const {
    if (const auto found = allocated_.find(file.string()); found != allocated_.end()) return found->second;
    const auto found = files_.find(file.string());
    return found == files_.end() ? 0 : found->second->content.size();
}

Result<void> VirtualDisk::allocate(const std::filesystem::path& file, std::uint64_t bytes) {
    if (crashed_) return disk_error(file, "the machine is down");
    const auto before = size(file);
    if (bytes > before && used() + (bytes - before) > capacity)
        return disk_error(file, "cannot reserve space for erasures: No space left on device");
    allocated_[file.string()] = std::max(before, bytes);
    return {};
}

void VirtualDisk::cut(const std::filesystem::path& file, std::uint64_t bytes, bool) {
    if (const auto found = allocated_.find(file.string()); found != allocated_.end() && !crashed_)
        found->second = std::min(found->second, bytes);
}

}  // namespace unlearn::sim::virtual_world
