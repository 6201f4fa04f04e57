#include "node/ctl/acting_as.hpp"

#include <cstdio>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

namespace unlearn::ctl {

ActingAs::ActingAs(const std::filesystem::path& folder) {
    if (::geteuid() != 0) return;
    struct stat status {};
    auto place = std::filesystem::absolute(folder).lexically_normal();
    while (::stat(place.c_str(), &status) != 0 && place.has_relative_path())
        place = place.parent_path();
    if (status.st_uid == 0) return;
    const bool done = ::setegid(status.st_gid) == 0 && ::seteuid(status.st_uid) == 0;
    if (!done) {
        // End the process: a half-changed user is worse than an unchanged one.
        std::perror("unlearnctl: cannot act as the owner of the data folder");
        std::_Exit(1);
    }
    changed_ = true;
}

ActingAs::~ActingAs() {
    if (!changed_) return;
    if (::seteuid(0) != 0 || ::setegid(0) != 0) std::_Exit(1);
}

}  // namespace unlearn::ctl
