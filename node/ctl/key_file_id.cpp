#include "node/ctl/key_file_id.hpp"

#include "node/ctl/acting_as.hpp"
#include "node/storage/identity_file.hpp"

namespace unlearn::ctl {

Outcome<protocol::NodeId> id_in_key_file(const std::filesystem::path& path) {
    const ActingAs owner(path);
    const auto identity = storage::load_identity(path);
    if (!identity) return fail_with(ExitCode::failed, identity.error().detail);
    return identity->id();
}

}  // namespace unlearn::ctl
