#include "sim/fleet/daemon_process.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>

#include "sim/support/descriptor.hpp"

namespace unlearn::sim::fleet {

Result<DaemonProcess> DaemonProcess::start(const std::filesystem::path& program,
                                           const std::filesystem::path& config,
                                           const std::filesystem::path& log) {
    const support::Descriptor out(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (out.get() < 0) return failed_with(log.string() + ": " + std::strerror(errno));
    support::ChildProcess::Setup setup{program.string(), {"--config", config.string()}};
    setup.out = setup.err = out.get();
    auto process = support::ChildProcess::start(setup);
    if (!process) return failed_with(program.string() + ": cannot be started: " + process.error().message);
    return DaemonProcess(std::move(*process), log);
}

std::string DaemonProcess::last_words() const {
    std::ifstream in(log_);
    std::string last;
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) last = std::move(line);
    if (!last.empty()) return last;
    std::error_code error;
    const auto space = std::filesystem::space(log_.parent_path(), error);
    if (!error && space.available == 0) return "its log is empty, for the disk is full: " + log_.string();
    return "it said nothing";
}

}  // namespace unlearn::sim::fleet
