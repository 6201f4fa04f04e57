#pragma once

#include <memory>

#include "node/network/asio.hpp"
#include "node/runtime/host.hpp"

namespace unlearn::runtime {

/// The real clocks and disk, and the thread that runs `context`, which must outlive it.
[[nodiscard]] std::shared_ptr<Host> make_asio_host(boost::asio::io_context& context);

}  // namespace unlearn::runtime
