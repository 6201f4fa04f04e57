#include "protocol/engine_io.hpp"

namespace unlearn::protocol {

std::string_view name_of(EventKind kind) {
    switch (kind) {
        case EventKind::peer_up:
            return "peer-up";
        case EventKind::peer_suspect:
            return "peer-suspect";
        case EventKind::peer_down:
            return "peer-down";
        case EventKind::peer_dropped:
            return "peer-dropped";
        case EventKind::seed_published:
            return "seed-published";
        case EventKind::seed_installed:
            return "seed-installed";
        case EventKind::seed_refused:
            return "seed-refused";
        case EventKind::seed_suspended:
            return "seed-suspended";
        case EventKind::seed_resumed:
            return "seed-resumed";
        case EventKind::lease_renewed:
            return "lease-renewed";
        case EventKind::equivocation:
            return "equivocation";
        case EventKind::exit_begun:
            return "exit-begun";
        case EventKind::exit_announced:
            return "exit-announced";
        case EventKind::receipt_stored:
            return "receipt-stored";
        case EventKind::exit_complete:
            return "exit-complete";
        case EventKind::exit_learned:
            return "exit-learned";
        case EventKind::seed_erased:
            return "seed-erased";
        case EventKind::own_exit_met:
            return "own-exit-met";
        case EventKind::retired:
            return "retired";
        case EventKind::store_failed:
            return "store-failed";
        case EventKind::peer_unresolved:
            return "peer-unresolved";
        case EventKind::peer_copied:
            return "peer-copied";
    }
    return "unknown";
}

}  // namespace unlearn::protocol
