#include "protocol/engine_io.hpp"
#include "protocol/engine_status.hpp"

namespace unlearn::protocol {

std::string_view name_of(SeedState state) {
    switch (state) {
        case SeedState::checking:
            return "checking";
        case SeedState::in_use:
            return "in-use";
        case SeedState::quarantined:
            return "quarantined";
        case SeedState::lease_ended:
            return "lease-ended";
        case SeedState::held_aside:
            return "held-aside";
    }
    return "unknown";
}

std::string_view name_of(PeerState state) {
    switch (state) {
        case PeerState::down:
            return "down";
        case PeerState::connecting:
            return "connecting";
        case PeerState::up:
            return "up";
        case PeerState::suspect:
            return "suspect";
        case PeerState::former:
            return "former";
        case PeerState::left:
            return "left";
    }
    return "unknown";
}

std::string_view name_of(PeerSource source) {
    switch (source) {
        case PeerSource::config:
            return "config";
        case PeerSource::added:
            return "added";
        case PeerSource::membership:
            return "membership";
    }
    return "unknown";
}

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
        case EventKind::member_expelled:
            return "member-expelled";
        case EventKind::network_key_changed:
            return "network-key-changed";
        case EventKind::network_key_disputed:
            return "network-key-disputed";
        case EventKind::seed_erased:
            return "seed-erased";
        case EventKind::own_state_old:
            return "own-state-old";
        case EventKind::own_copy_met:
            return "own-copy-met";
        case EventKind::own_exit_met:
            return "own-exit-met";
        case EventKind::retired:
            return "retired";
        case EventKind::store_failed:
            return "store-failed";
        case EventKind::store_recovered:
            return "store-recovered";
        case EventKind::store_refused:
            return "store-refused";
        case EventKind::store_impossible:
            return "store-impossible";
        case EventKind::peer_unresolved:
            return "peer-unresolved";
        case EventKind::peer_copied:
            return "peer-copied";
    }
    return "unknown";
}

}  // namespace unlearn::protocol
