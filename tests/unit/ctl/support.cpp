#include "support.hpp"

#include <sstream>

namespace unlearn::ctl {

Called call(const std::vector<std::string>& arguments, const char* typed) {
    std::istringstream in(typed == nullptr ? "" : typed);
    std::ostringstream out;
    std::ostringstream err;
    Console console{in, out, err, typed != nullptr};
    const int code = run(arguments, console);
    return {code, out.str(), err.str()};
}

}  // namespace unlearn::ctl
