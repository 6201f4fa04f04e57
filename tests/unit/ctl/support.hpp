#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "node/ctl/command.hpp"

namespace unlearn::ctl {

/// A folder that is gone with the object.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] std::filesystem::path path() const { return path_; }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    /// Writes a file and gives its path.
    std::string write(const std::string& name, const std::string& content) const;

  private:
    std::filesystem::path path_;
};

/// What one call of unlearnctl gave.
struct Called {
    int code = 0;
    std::string out;
    std::string err;
};

/// Runs unlearnctl in this process. `typed`: what a person answers; without it nobody can be asked.
[[nodiscard]] Called call(const std::vector<std::string>& arguments, const char* typed = nullptr);

}  // namespace unlearn::ctl
