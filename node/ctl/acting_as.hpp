#pragma once

#include <filesystem>

#include <sys/types.h>

namespace unlearn::ctl {

/// While it lives, root acts as the owner of `folder` (or of its nearest parent that exists). What is created
/// there then belongs to the user that the daemon runs as, and only what that user may read is read. It does
/// nothing for other users.
class ActingAs {
  public:
    explicit ActingAs(const std::filesystem::path& folder);
    ~ActingAs();
    ActingAs(const ActingAs&) = delete;
    ActingAs& operator=(const ActingAs&) = delete;

  private:
    bool changed_ = false;
};

}  // namespace unlearn::ctl
