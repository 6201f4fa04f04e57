#include <fstream>
#include <memory>

#include <unistd.h>

#include "node/ctl/acting_as.hpp"
#include "node/ctl/backup_archive.hpp"
#include "node/ctl/command.hpp"
#include "node/ctl/json_file.hpp"
#include "node/ctl/table.hpp"
#include "node/storage/identity_file.hpp"
#include "node/storage/store.hpp"

// The commands that keep a copy of what a node must not lose: backup, restore.
namespace unlearn::ctl {
namespace {

using nlohmann::json;
using protocol::Bytes;
using protocol::SeedBytes;

Outcome<SeedBytes> read_bytes(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return fail_with(ExitCode::failed, path.string() + ": " + error.message());
    Bytes bytes(size);
    std::ifstream in(path, std::ios::binary);
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    SeedBytes content(std::move(bytes));
    if (!in) return fail_with(ExitCode::failed, path.string() + ": cannot be read");
    return content;
}

/// A file that is removed when the command ends.
struct Temporary {
    std::filesystem::path path;
    ~Temporary() { ::unlink(path.c_str()); }
};

Outcome<BackupFiles> collect(const std::filesystem::path& data_dir, const std::filesystem::path& state) {
    BackupFiles files;
    for (const auto& [name, path] :
         {std::pair{"binding.json", data_dir / "binding.json"}, std::pair{"identity", data_dir / "identity"},
          std::pair{"state.db", state}}) {
        auto content = read_bytes(path);
        if (!content) return tl::unexpected(content.error());
        files.emplace(name, std::move(*content));
    }
    return files;
}

/// The daemon may write to its own data folder only (see the systemd unit). It puts the state there, and this
/// command copies it to where the user wants it.
Outcome<ExitCode> backup(const Context& context, const std::string& file) {
    if (std::filesystem::exists(file))
        return fail_with(ExitCode::bad_input, file + ": exists; a backup is never overwritten");
    const auto places = context.places();
    if (!places) return tl::unexpected(places.error());
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto data_dir = std::filesystem::absolute(places->data_dir);
    const auto state = data_dir / ("backup-" + std::to_string(::getpid()) + ".part");
    auto files = [&]() -> Outcome<BackupFiles> {
        const ActingAs owner(data_dir);
        if (::access(data_dir.c_str(), W_OK | X_OK) != 0)
            return fail_with(ExitCode::failed,
                             data_dir.string() + ": only root and the user of unlearnd can take a backup");
        const Temporary staged{state};
        const auto answer = daemon->post("/v1/backup", json{{"path", state.string()}});
        if (!answer) return tl::unexpected(answer.error());
        return collect(data_dir, state);
    }();
    if (!files) return tl::unexpected(files.error());
    if (auto written = write_backup(file, *files); !written) return tl::unexpected(written.error());
    const auto size = std::filesystem::file_size(file);
    if (context.json)
        context.show({{"file", std::filesystem::absolute(file).string()}, {"bytes", size}});
    else
        context.console.out << file << ": " << format_bytes(size)
                            << "; it holds this node's secret key and no seed of a peer\n";
    return ExitCode::ok;
}

Outcome<void> refuse_if_used(const std::filesystem::path& data_dir) {
    for (const char* name : {"identity", "binding.json", "state"})
        if (std::filesystem::exists(data_dir / name))
            return fail_with(ExitCode::bad_input, (data_dir / name).string() +
                                                      ": exists; a node is restored into an empty folder");
    return {};
}

Outcome<void> put(const std::filesystem::path& path, const SeedBytes& content) {
    const auto view = content.view();
    return create_file(path, {reinterpret_cast<const char*>(view.data()), view.size()}, 0600);
}

/// Returns what the state must belong to, as the backup itself says.
Outcome<storage::Binding> binding_in(const BackupFiles& files, const protocol::NodeId& node) {
    const auto view = files.at("binding.json").view();
    const auto binding = json::parse(view.begin(), view.end(), nullptr, false);
    const auto text = binding.is_object() ? binding.value("network", "") : std::string();
    const auto bytes = protocol::from_hex(text);
    if (!bytes) return fail_with(ExitCode::bad_input, "its binding.json names no network");
    const auto network = protocol::NetworkId::from(*bytes);
    if (!network) return fail_with(ExitCode::bad_input, "its binding.json names no network");
    return storage::Binding{node, *network};
}

/// Opens the state as the daemon will, so that a damaged state or one of another node is refused.
Outcome<void> check_state(const std::filesystem::path& folder, const storage::Binding& binding) {
    const auto store = storage::Store::open(folder, binding);
    if (!store) return fail_with(ExitCode::bad_input, store.error().detail);
    if (const auto loaded = (*store)->load(); !loaded)
        return fail_with(ExitCode::bad_input, loaded.error().detail);
    return {};
}

/// Removes what was restored, unless it is kept.
struct Restoration {
    std::filesystem::path data_dir;
    bool kept = false;
    ~Restoration() {
        std::error_code ignored;
        for (const char* name : {"identity", "binding.json", "state"})
            if (!kept) std::filesystem::remove_all(data_dir / name, ignored);
    }
};

Outcome<protocol::NodeId> put_all(const std::filesystem::path& data_dir, const BackupFiles& files) {
    Restoration restoration{data_dir};
    std::filesystem::create_directory(data_dir / "state");
    std::filesystem::permissions(data_dir / "state", std::filesystem::perms::owner_all);
    for (const auto& [name, path] :
         {std::pair{"state.db", data_dir / "state" / "state.db"},
          std::pair{"binding.json", data_dir / "binding.json"}, std::pair{"identity", data_dir / "identity"}})
        if (auto made = put(path, files.at(name)); !made) return tl::unexpected(made.error());
    const auto identity = storage::load_identity(data_dir / "identity");
    if (!identity) return fail_with(ExitCode::bad_input, identity.error().detail);
    const auto binding = binding_in(files, identity->id());
    if (!binding) return tl::unexpected(binding.error());
    if (auto whole = check_state(data_dir / "state", *binding); !whole) return tl::unexpected(whole.error());
    restoration.kept = true;
    return identity->id();
}

Outcome<ExitCode> restore(const Context& context, const std::string& file,
                          const std::filesystem::path& data_dir) {
    const auto files = read_backup(file);
    if (!files) return tl::unexpected(files.error());
    const ActingAs owner(data_dir);
    if (auto unused = refuse_if_used(data_dir); !unused) return tl::unexpected(unused.error());
    std::error_code error;
    const bool made = std::filesystem::create_directories(data_dir, error);
    if (error) return fail_with(ExitCode::failed, data_dir.string() + ": " + error.message());
    if (made) std::filesystem::permissions(data_dir, std::filesystem::perms::owner_all);
    const auto id = put_all(data_dir, *files);
    if (!id) return fail_with(id.error().code, file + ": " + id.error().message);
    if (context.json)
        context.show({{"id", id->text()}, {"data_dir", data_dir.string()}});
    else
        context.console.out << "restored node " << id->short_text() << " into " << data_dir.string()
                            << "; never run it in two places\n";
    return ExitCode::ok;
}

Outcome<ExitCode> claim(const Context& context, bool sure) {
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    if (!sure) {
        const auto status = daemon->get("/v1/status");
        if (!status) return tl::unexpected(status.error());
        const auto asked = context.confirm(
            "This node uses its neighbours' seeds at once, without waiting for what they know of exits. No "
            "other copy of it may run.",
            short_id(field(*status, "id")));
        if (!asked) return tl::unexpected(asked.error());
    }
    const auto answer = daemon->post("/v1/claim", nlohmann::json::object());
    if (!answer) return tl::unexpected(answer.error());
    if (context.json)
        context.show(*answer);
    else
        context.console.out << "this node goes on; another copy of it would now be told to stop\n";
    return ExitCode::ok;
}

}  // namespace

void add_backup_commands(CLI::App& app, Commands& commands) {
    auto* backup_command =
        app.add_subcommand("backup", "Copy key, binding and state into one file (not the seeds of peers)");
    auto file = std::make_shared<std::string>();
    backup_command->add_option("FILE", *file, "a file that does not exist yet")->required();
    commands.on(backup_command, [file](const Context& context) { return backup(context, *file); });

    auto* restore_command = app.add_subcommand("restore", "Make a data folder from a backup");
    auto data_dir = std::make_shared<std::string>();
    restore_command->add_option("FILE", *file, "what `backup` made")->required();
    restore_command->add_option("--data", *data_dir, "the new data folder")->required();
    commands.on(restore_command,
                [file, data_dir](const Context& context) { return restore(context, *file, *data_dir); });

    auto* claim_command =
        app.add_subcommand("claim", "Go on with a restored or copied node without waiting for neighbours");
    auto sure = std::make_shared<bool>(false);
    claim_command->add_flag("--yes", *sure, "do not ask");
    commands.on(claim_command, [sure](const Context& context) { return claim(context, *sure); });
}

}  // namespace unlearn::ctl
