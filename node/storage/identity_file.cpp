#include "node/storage/identity_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/storage/files.hpp"

namespace unlearn::storage {

using protocol::ErrorCode;
using protocol::fail;
using protocol::Identity;
using protocol::NodeId;
using protocol::Result;

namespace {

constexpr std::string_view kFirstLine = "unlearnd identity 1\n";
constexpr std::string_view kSecretLabel = "secret ";
constexpr std::string_view kIdLabel = "id ";
constexpr std::size_t kSecretDigits = 2 * Identity::kSeedSize;
constexpr std::size_t kMaxFileSize = 512;

/// An array that is overwritten when it goes out of scope.
template <typename T, std::size_t N>
struct Wiped : std::array<T, N> {
    ~Wiped() { ::explicit_bzero(this->data(), N * sizeof(T)); }
};

tl::unexpected<protocol::Error> refuse(const std::filesystem::path& path, const std::string& why) {
    return fail(ErrorCode::internal, "key file " + path.string() + " " + why);
}

/// Opens a file that only its owner can read. The owner must be the current user.
Result<FileDescriptor> open_private(const std::filesystem::path& path) {
    // O_NONBLOCK prevents a FIFO at this path from hanging the start.
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.valid() && errno == ELOOP) return refuse(path, "is not a regular file");
    if (!file.valid()) return file_error(path, "open the key file");
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return file_error(path, "look at the key file");
    if (!S_ISREG(status.st_mode)) return refuse(path, "is not a regular file");
    if (status.st_uid != ::geteuid())
        return refuse(path, "belongs to user " + std::to_string(status.st_uid) + ", not to user " +
                                std::to_string(::geteuid()));
    const std::string remedy = ": chmod 600 " + path.string();
    if ((status.st_mode & (S_IRGRP | S_IROTH)) != 0) return refuse(path, "can be read by others" + remedy);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return refuse(path, "can be changed by others" + remedy);
    return file;
}

/// Reads the whole file into `out`. @return the number of bytes, at most the size of `out`.
Result<std::size_t> read_all(const FileDescriptor& file, const std::filesystem::path& path,
                             std::span<char> out) {
    std::size_t length = 0;
    while (length < out.size()) {
        const auto count = ::read(file.get(), out.data() + length, out.size() - length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_error(path, "read the key file");
        if (count == 0) break;
        length += static_cast<std::size_t>(count);
    }
    return length;
}

bool take(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/// Decodes in place, without the heap.
bool take_secret(std::string_view& text, Identity::SecretSeed& out) {
    if (text.size() < kSecretDigits) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    text.remove_prefix(kSecretDigits);
    return true;
}

struct WipedSeed {
    Identity::SecretSeed value{};
    ~WipedSeed() { ::explicit_bzero(value.data(), value.size()); }
};

}  // namespace

Result<Identity> load_identity(const std::filesystem::path& path) {
    const auto file = open_private(path);
    if (!file) return tl::unexpected(file.error());
    Wiped<char, kMaxFileSize> buffer;
    const auto length = read_all(*file, path, buffer);
    if (!length) return tl::unexpected(length.error());

    std::string_view text(buffer.data(), *length);
    if (!take(text, kFirstLine)) return refuse(path, "does not begin with \"unlearnd identity 1\"");
    WipedSeed secret;
    if (!take(text, kSecretLabel) || !take_secret(text, secret.value) || !take(text, "\n"))
        return refuse(path, "line 2 is not \"secret\" and 64 hexadecimal digits");
    const auto end = text.find('\n');
    if (!take(text, kIdLabel) || end == std::string_view::npos)
        return refuse(path, "line 3 is not \"id\" and a node id");
    const auto id = NodeId::from_text(text.substr(0, end - kIdLabel.size()));
    if (!id) return refuse(path, "line 3: " + id.error().text());
    if (text.size() != end - kIdLabel.size() + 1) return refuse(path, "has more than three lines");
    auto identity = Identity::from_seed(secret.value);
    if (identity.id() != *id) return refuse(path, "has an id line that does not fit its secret");
    return identity;
}

Result<void> create_identity_file(const std::filesystem::path& path, const Identity& identity) {
    WipedSeed secret{identity.secret_seed()};
    Wiped<char, kMaxFileSize> buffer;
    const std::string id = identity.id().text() + "\n";
    auto* end = std::copy(kFirstLine.begin(), kFirstLine.end(), buffer.data());
    end = std::copy(kSecretLabel.begin(), kSecretLabel.end(), end);
    for (const std::uint8_t byte : secret.value) {
        *end++ = "0123456789abcdef"[byte >> 4];
        *end++ = "0123456789abcdef"[byte & 15];
    }
    *end++ = '\n';
    end = std::copy(kIdLabel.begin(), kIdLabel.end(), end);
    end = std::copy(id.begin(), id.end(), end);

    if (::access(path.c_str(), F_OK) == 0) return refuse(path, "exists already and is not replaced");
    constexpr unsigned kPrivate = 0600;
    const protocol::ByteView text(reinterpret_cast<const std::uint8_t*>(buffer.data()),
                                  static_cast<std::size_t>(end - buffer.data()));
    if (auto made = create_file(path, text, kPrivate); !made) return made;
    auto synced = sync_directory(path.parent_path());
    if (!synced) ::unlink(path.c_str());  // after a reported failure there must be no key
    return synced;
}

}  // namespace unlearn::storage
