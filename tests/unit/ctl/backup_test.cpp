#include <fstream>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "fake_daemon.hpp"
#include "node/ctl/node_files.hpp"
#include "node/storage/store.hpp"
#include "support.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::ctl;
using namespace unlearn::protocol;
using nlohmann::json;

/// A node with a tombstone in its state, and a daemon that backs it up as unlearnd does.
struct BackedUp {
    TemporaryFolder folder;
    NetworkId network = network_id_of({"home", {1, 2, 2}, {"a", "b"}, "none", {}});
    NodeId gone = Identity::generate().id();
    NodeId id = make_node({folder / "data", folder / "etc.toml", folder / "sealed", "", network, {}}).value();
    std::string config = folder.write("node.toml", "data_dir = \"" + (folder / "data") +
                                                       "\"\ncontrol_socket = \"" + (folder / "s") + "\"\n");
    FakeDaemon daemon{
        folder / "s", [this](const FakeDaemon::Request& request) {
            const auto body = json::parse(request.body);
            const auto store = storage::Store::open(folder / "data/state", {id, network}).value();
            const auto made = store->backup(body["path"].get<std::string>());
            return FakeDaemon::Answer{made ? 200 : 500, "{}"};
        }};

    BackedUp() {
        const auto store = storage::Store::open(folder / "data/state", {id, network}).value();
        const std::vector<StoreOp> ops{PutTombstone{gone, {{1, 2, 3}, {}}}};
        REQUIRE(store->apply(ops));
    }
    [[nodiscard]] Called backup(const std::string& file) const {
        return call({"backup", folder / file, "--config", config});
    }
    [[nodiscard]] Called restore(const std::string& file, const std::string& data) const {
        return call({"restore", folder / file, "--data", folder / data});
    }
};

TEST_CASE("a node comes back from its backup with its identity and the exits it knew") {
    const BackedUp node;
    const auto taken = node.backup("b");
    CHECK_MESSAGE(taken.code == 0, taken.err);
    struct stat status {};
    REQUIRE(::stat((node.folder / "b").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600);
    for (const auto& entry : std::filesystem::directory_iterator(node.folder / "data"))
        CHECK(entry.path().extension() != ".part");

    const auto restored = node.restore("b", "new/place");
    CHECK_MESSAGE(restored.code == 0, restored.err);
    CHECK(restored.out.find(node.id.short_text()) != std::string::npos);
    const auto store = storage::Store::open(node.folder / "new/place/state", {node.id, node.network}).value();
    const auto loaded = store->load().value();
    REQUIRE(loaded.state.tombstones.size() == 1);
    CHECK(loaded.state.tombstones.front().owner == node.gone);
}

TEST_CASE("neither a backup nor a node is overwritten") {
    const BackedUp node;
    REQUIRE(node.backup("b").code == 0);
    CHECK(node.backup("b").code == 2);
    const auto refused = node.restore("b", "data");
    CHECK(refused.code == 2);
    CHECK(refused.err.find("data/identity: exists") != std::string::npos);
}

TEST_CASE("a file that is no backup, or a damaged one, restores nothing") {
    const BackedUp node;
    REQUIRE(node.backup("b").code == 0);
    CHECK(node.restore("none", "x").code == 2);
    node.folder.write("text", "hello");
    CHECK(node.restore("text", "x").code == 2);
    CHECK(call({"restore", node.folder / "data/state/state.db", "--data", node.folder / "x"}).code == 2);
    {
        // The bytes of the state inside the backup.
        std::fstream file(node.folder / "b", std::ios::in | std::ios::out | std::ios::binary);
        const std::string all((std::istreambuf_iterator<char>(file)), {});
        const auto inner = all.find("SQLite format 3", 1);
        REQUIRE(inner != std::string::npos);
        file.clear();
        file.seekp(static_cast<std::streamoff>(inner));
        file << "no database";
    }
    const auto damaged = node.restore("b", "x");
    CHECK(damaged.code == 2);
    CHECK(damaged.err.find((node.folder / "b") + ": ") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(node.folder / "x/identity"));
    CHECK_FALSE(std::filesystem::exists(node.folder / "x/state"));
}

}  // namespace
