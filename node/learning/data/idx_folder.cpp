#include "node/learning/data/idx_folder.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "node/learning/data/gzip_file.hpp"
#include "node/learning/data/idx.hpp"

namespace unlearn::learning {
namespace {

using Paths = std::vector<std::filesystem::path>;

/// Returns the paths in a folder, sorted by name.
Result<Paths> entries_of(const std::filesystem::path& folder) {
    std::error_code error;
    Paths found;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        found.push_back(entry->path());
    if (error) return fail(folder.string() + ": cannot be read: " + error.message());
    std::sort(found.begin(), found.end());
    return found;
}

bool is_idx_file(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return false;
    auto file = GzipFile::open(path);
    std::array<std::uint8_t, kIdxBytesMagic.size()> begin{};
    const auto got = file ? file->read(begin) : Result<std::size_t>(0);
    return got && *got == begin.size() &&
           std::equal(begin.begin(), begin.end(), kIdxBytesMagic.begin(),
                      [](std::uint8_t byte, char magic) { return byte == static_cast<std::uint8_t>(magic); });
}

/// Returns a file's name without what may differ between copies of one file: "-idx3" or ".idx3", and ".gz".
std::string name_of_twins(const std::filesystem::path& file) {
    std::string name = file.filename().string();
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    std::replace(name.begin(), name.end(), '.', '-');
    return name;
}

/// Returns the one file that is meant, or an empty path if there is none. Fails if several could be meant.
Result<std::filesystem::path> choose(const Paths& candidates, const std::string& name,
                                     const std::filesystem::path& folder) {
    Paths files;
    std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(files), is_idx_file);
    if (files.empty()) return std::filesystem::path{};
    for (const auto& file : files)
        if (name_of_twins(file) != name_of_twins(files.front()))
            return fail(folder.string() + ": " + files.front().filename().string() + " and " +
                        file.filename().string() + " could both be " + name + "; leave one of them");
    return files.front();
}

}  // namespace

Result<std::filesystem::path> find_idx(const std::filesystem::path& folder,
                                       const std::vector<std::string_view>& prefixes, std::string_view part) {
    const auto entries = entries_of(folder);
    if (!entries) return tl::unexpected(entries.error());
    std::filesystem::path damaged;
    for (const std::string_view prefix : prefixes) {
        const std::string name = std::string(prefix) + std::string(part);
        Paths files;
        Paths inside;
        Paths longer;
        for (const auto& entry : *entries) {
            const auto entry_name = entry.filename().string();
            std::error_code error;
            const bool begins = entry_name.starts_with(name);
            if (begins && std::filesystem::is_directory(entry, error)) {
                for (const auto& deeper : entries_of(entry).value_or(Paths{}))
                    if (deeper.filename().string().find(name) != std::string::npos) inside.push_back(deeper);
            } else if (begins) {
                files.push_back(entry);
            } else if (entry_name.find(name) != std::string::npos) {
                longer.push_back(entry);
            }
        }
        for (const auto* candidates : {&files, &inside, &longer}) {
            auto chosen = choose(*candidates, name, folder);
            if (!chosen || !chosen->empty()) return chosen;
        }
        if (damaged.empty() && !files.empty()) damaged = files.front();
    }
    // The caller reads it, and the error says what is wrong with it.
    if (!damaged.empty()) return damaged;
    return fail(folder.string() + ": holds no file named " + std::string(prefixes.front()) +
                std::string(part) + "*");
}

}  // namespace unlearn::learning
