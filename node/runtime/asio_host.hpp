#pragma once

#include <memory>

#include "node/network/asio.hpp"
#include "node/runtime/host.hpp"

namespace unlearn::runtime {

/// Makes a host with the real clocks and disk, on the thread that runs `context`. `context` must outlive the
/// host.
[[nodiscard]] std::shared_ptr<Host> make_asio_host(boost::asio::io_context& context);

}  // namespace unlearn::runtime
