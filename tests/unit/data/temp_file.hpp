#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

// A folder of its own under the system's temporary one, removed with all it holds at the end of the test.
class TempFolder {
  public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(const std::string& name, std::span<const std::uint8_t> bytes) const;
    std::filesystem::path write(const std::string& name, const std::string& text) const;

  private:
    std::filesystem::path path_;
};
