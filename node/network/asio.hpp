#pragma once

/// The parts of Boost.Asio that we use. GCC 12 with Boost 1.74 needs <utility> before them (asio #944), so
/// every file includes this header and none includes Asio directly.

// clang-format off
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
// clang-format on

namespace unlearn {
namespace asio = boost::asio;
}
