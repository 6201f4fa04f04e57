#include "node/storage/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unlearn::storage {

using protocol::ByteView;
using protocol::ErrorCode;
using protocol::fail;
using protocol::Result;

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

FileDescriptor::~FileDescriptor() {
    if (valid()) ::close(number_);
}

tl::unexpected<protocol::Error> file_error(const std::filesystem::path& path, std::string_view what,
                                           int number) {
    return fail(ErrorCode::internal, path.string() + ": cannot " + std::string(what) + ": " +
                                         std::error_code(number, std::generic_category()).message());
}

Result<void> sync_directory(const std::filesystem::path& directory) {
    const std::filesystem::path name = directory.empty() ? "." : directory;
    const FileDescriptor opened(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.valid()) return file_error(name, "open the folder");
    if (::fsync(opened.get()) != 0) return file_error(name, "sync the folder");
    return {};
}

namespace {

/// Creates the missing folders from the top down and makes each name durable.
Result<void> make_directories(const std::filesystem::path& directory) {
    std::error_code error;
    if (std::filesystem::exists(directory, error)) return {};
    const auto parent = directory.parent_path();
    if (!parent.empty() && parent != directory)
        if (auto made = make_directories(parent); !made) return made;
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        return file_error(directory, "create the folder");
    return sync_directory(parent);
}

}  // namespace

Result<FileDescriptor> lock_directory(const std::filesystem::path& directory) {
    // Removes a trailing slash, which would make parent_path() the folder itself.
    const auto name = directory.has_filename() ? directory : directory.parent_path();
    if (auto made = make_directories(name); !made) return tl::unexpected(made.error());
    FileDescriptor opened(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.valid()) return file_error(name, "open the folder");
    struct stat status {};
    if (::fstat(opened.get(), &status) != 0) return file_error(name, "examine the folder");
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(ErrorCode::internal,
                    "folder " + name.string() + " can be written by others: chmod 700 " + name.string());
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return file_error(name, "lock the folder");
        return fail(ErrorCode::internal, "folder is in use: " + name.string());
    }
    return opened;
}

Result<void> ensure_private_file(const std::filesystem::path& file) {
    const FileDescriptor opened(
        ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!opened.valid()) return file_error(file, "open the file");
    struct stat status {};
    if (::fstat(opened.get(), &status) != 0) return file_error(file, "examine the file");
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::internal, file.string() + " is not a regular file");
    if ((status.st_mode & 07777) != 0600 && ::fchmod(opened.get(), 0600) != 0)
        return file_error(file, "set the permissions");
    return sync_directory(file.parent_path());
}

namespace {

Result<void> write_and_sync(const FileDescriptor& out, const std::filesystem::path& file, ByteView bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(out.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return file_error(file, "write");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (::fsync(out.get()) != 0) return file_error(file, "sync");
    return {};
}

}  // namespace

Result<void> create_file(const std::filesystem::path& file, ByteView bytes, unsigned mode) {
    const FileDescriptor out(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!out.valid()) return file_error(file, "create");
    auto done = ::fchmod(out.get(), mode) == 0 ? write_and_sync(out, file, bytes)
                                               : Result<void>(file_error(file, "set the permissions of"));
    if (!done) ::unlink(file.c_str());
    return done;
}

Result<void> replace_file(const std::filesystem::path& file, ByteView bytes, unsigned mode) {
    auto part = file;
    part += ".part";
    ::unlink(part.c_str());
    if (auto made = create_file(part, bytes, mode); !made) return made;
    if (::rename(part.c_str(), file.c_str()) != 0) {
        auto failed = file_error(file, "replace");
        ::unlink(part.c_str());
        return failed;
    }
    return sync_directory(file.has_parent_path() ? file.parent_path() : std::filesystem::path("."));
}

}  // namespace unlearn::storage
