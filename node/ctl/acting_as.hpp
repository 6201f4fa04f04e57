#pragma once

#include <filesystem>

#include <sys/types.h>

namespace unlearn::ctl {

/// While it lives, root acts as the owner of `folder` (or of its nearest parent that exists), so that what is
/// made there belongs to the user that the daemon runs as, and only what that user may read is read. For
/// everybody else it does nothing.
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
