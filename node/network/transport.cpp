#include "node/network/transport.hpp"

#include <atomic>

namespace unlearn::network {

SessionId next_session_id() {
    static std::atomic<SessionId> last{0};
    return ++last;
}

}  // namespace unlearn::network
