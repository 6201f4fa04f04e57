#include "support.hpp"

#include <fstream>
#include <stdexcept>

#include <stdlib.h>

namespace unlearn::ctl {

TemporaryFolder::TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "unlearnctl-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return *this / name;
}

Called call(const std::vector<std::string>& arguments, const char* typed) {
    std::istringstream in(typed == nullptr ? "" : typed);
    std::ostringstream out;
    std::ostringstream err;
    Console console{in, out, err, typed != nullptr};
    const int code = run(arguments, console);
    return {code, out.str(), err.str()};
}

}  // namespace unlearn::ctl
