#include "node/ctl/node_files.hpp"

#include <chrono>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "node/config/binding.hpp"
#include "node/ctl/acting_as.hpp"
#include "node/ctl/json_file.hpp"
#include "node/ctl/network_ledger.hpp"
#include "node/runtime/certificate.hpp"
#include "node/storage/files.hpp"
#include "node/storage/identity_file.hpp"
#include "protocol/network_statements.hpp"
#include "protocol/records.hpp"

namespace unlearn::ctl {
namespace {

using namespace unlearn::protocol;
using nlohmann::json;

Failure failure(const Error& error) {
    return {ExitCode::failed, error.detail.empty() ? error.text() : error.detail};
}

/// Removes what was made, unless `keep` is called.
class Undo {
  public:
    ~Undo() {
        for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
            std::error_code ignored;
            std::filesystem::remove(*path, ignored);
        }
    }
    void add(std::filesystem::path path) { made_.push_back(std::move(path)); }
    void keep() { made_.clear(); }

  private:
    std::vector<std::filesystem::path> made_;
};

Outcome<void> make_folder(const std::filesystem::path& folder, Undo& undo) {
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) return {};
    if (folder.has_parent_path() && !std::filesystem::exists(folder.parent_path(), error)) {
        if (auto parent = make_folder(folder.parent_path(), undo); !parent) return parent;
    }
    error.clear();
    std::filesystem::create_directory(folder, error);
    if (error) return fail_with(ExitCode::failed, folder.string() + ": " + error.message());
    undo.add(folder);
    return {};
}

/// Makes the part that belongs to the daemon's user.
Outcome<void> make_data_dir(const NewNode& node, const Identity& identity, const config::Binding& binding,
                            Undo& undo) {
    const ActingAs owner(node.data_dir);
    std::error_code ignored;
    const bool there = std::filesystem::is_directory(node.data_dir, ignored);
    if (auto made = make_folder(node.data_dir, undo); !made) return made;
    if (!there && ::chmod(node.data_dir.c_str(), 0700) != 0)
        return fail_with(ExitCode::failed, node.data_dir.string() + ": cannot be made private");
    const auto binding_file = node.data_dir / "binding.json";
    if (auto made = config::create_binding(binding_file, binding); !made)
        return tl::unexpected(failure(made.error()));
    undo.add(binding_file);
    const auto key_file = node.data_dir / "identity";
    if (auto made = storage::create_identity_file(key_file, identity); !made)
        return tl::unexpected(failure(made.error()));
    undo.add(key_file);
    if (auto synced = storage::sync_directory(node.data_dir); !synced)
        return tl::unexpected(failure(synced.error()));
    return {};
}

/// Has the network's key sign a membership. One with an end goes into the ledger of the key.
Outcome<SignedBytes> sign_membership_of(const NodeId& member, const NewNode& node, WallTime now) {
    auto ledger = NetworkLedger::open(*node.network_key);
    if (!ledger) return tl::unexpected(ledger.error());
    if (!node.membership_days) return sign_membership(ledger->key(), node.network, {member});
    if (auto same = ledger->use_network(node.network); !same) return tl::unexpected(same.error());
    const auto membership = sign_term_membership(
        ledger->key(), node.network,
        {ledger->key().id(), member, ledger->next_number(now), now - std::chrono::minutes(10),
         now + std::chrono::hours(24) * *node.membership_days});
    ledger->add({runtime::NetworkFileKind::membership, membership});
    if (auto saved = ledger->save(); !saved) return tl::unexpected(saved.error());
    return membership;
}

/// Makes the part that belongs to the user who runs `init`.
Outcome<void> make_other_files(const NewNode& node, const json& sealed, Undo& undo) {
    if (auto made = create_file(node.sealed_exit, sealed.dump(2) + "\n", 0600); !made) return made;
    undo.add(node.sealed_exit);
    if (node.config.has_parent_path())
        if (auto made = make_folder(node.config.parent_path(), undo); !made) return made;
    if (auto made = create_file(node.config, node.config_text, 0644); !made) return made;
    undo.add(node.config);
    return {};
}

}  // namespace

Outcome<void> refuse_existing(const NewNode& node) {
    for (const auto& path : {node.data_dir / "identity", node.data_dir / "binding.json",
                             node.data_dir / "state", node.config, node.sealed_exit}) {
        std::error_code error;
        if (std::filesystem::exists(path, error) || error)
            return fail_with(ExitCode::bad_input,
                             path.string() + ": " +
                                 (error ? error.message() : std::string("exists; init replaces nothing")));
    }
    return {};
}

Outcome<NodeId> make_node(const NewNode& node) {
    if (auto unused = refuse_existing(node); !unused) return tl::unexpected(unused.error());
    const auto identity = Identity::generate();
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    std::optional<SignedBytes> membership;
    if (node.network_key) {
        auto signed_by_key = sign_membership_of(identity.id(), node, now);
        if (!signed_by_key) return tl::unexpected(signed_by_key.error());
        membership = std::move(*signed_by_key);
    }
    const auto notice = sign_notice(identity, node.network, {identity.id(), now, membership});

    Undo undo;
    if (auto made = make_data_dir(node, identity, {node.network, membership}, undo); !made)
        return tl::unexpected(made.error());
    if (auto made = make_other_files(node, runtime::make_sealed_exit(node.network, notice), undo); !made)
        return tl::unexpected(made.error());
    if (node.check) {
        const ActingAs owner(node.data_dir);
        if (auto good = node.check(); !good) return tl::unexpected(good.error());
    }
    undo.keep();
    return identity.id();
}

Outcome<NodeId> make_network_key(const std::filesystem::path& file) {
    const auto identity = Identity::generate();
    if (auto made = storage::create_identity_file(file, identity); !made)
        return tl::unexpected(failure(made.error()));
    return identity.id();
}

}  // namespace unlearn::ctl
