#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "node/ctl/command.hpp"
#include "tests/support/temporary_folder.hpp"

namespace unlearn::ctl {

using testing::TemporaryFolder;

/// What one call of unlearnctl gave.
struct Called {
    int code = 0;
    std::string out;
    std::string err;
};

/// Runs unlearnctl in this process. `typed`: what a person answers; without it nobody can be asked.
[[nodiscard]] Called call(const std::vector<std::string>& arguments, const char* typed = nullptr);

}  // namespace unlearn::ctl
