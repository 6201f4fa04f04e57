#include <doctest/doctest.h>

#include "fake_daemon.hpp"
#include "node/runtime/certificate.hpp"
#include "support.hpp"

namespace {

using namespace unlearn;
using namespace unlearn::ctl;
using namespace unlearn::protocol;
using nlohmann::json;

struct Exited {
    NetworkId network = network_id_of({"test", {1, 2, 2}, {"a", "b"}, "none", {}});
    Identity owner = Identity::generate();
    Identity signer = Identity::generate();
    NodeId silent = Identity::generate().id();
    SignedBytes notice = sign_notice(owner, network, {owner.id(), WallTime{std::chrono::seconds(1000)}, {}});

    [[nodiscard]] json certificate(bool with_silent) const {
        ExitProgress progress;
        progress.begun = true;
        progress.notice = notice;
        progress.recipients[signer.id()] = {SeedVersion{1}, WallTime{std::chrono::seconds(1'795'420'800)}};
        if (with_silent) progress.recipients[silent].version = SeedVersion{1};
        progress.receipts[signer.id()] =
            sign_receipt(signer, network,
                         {owner.id(), signer.id(), ReceiptReason::exit, SeedVersion{1},
                          WallTime{std::chrono::seconds(1'795'400'000)}});
        return runtime::make_certificate(owner.id(), network, progress);
    }
};

TEST_CASE("a complete certificate is proved, and what it does not prove is said") {
    const Exited exited;
    const TemporaryFolder folder;
    const auto file = folder.write("c.json", exited.certificate(false).dump());
    const auto called = call({"verify", file, "--complete"});
    CHECK(called.code == 0);
    CHECK(called.out.find("valid and complete") != std::string::npos);
    CHECK(called.out.find(exited.signer.id().text() + "  erased") != std::string::npos);
    CHECK(called.out.find("no dishonest holder kept a copy") != std::string::npos);
    const auto shown = json::parse(call({"verify", file, "--json"}).out);
    CHECK(shown["complete"] == true);
    CHECK(shown["erased"] == json::array({exited.signer.id().text()}));
}

TEST_CASE("certificate is a table for people, JSON for programs, and a file that can be verified") {
    const Exited exited;
    const TemporaryFolder folder;
    const auto socket = folder / "s";
    auto certificate = exited.certificate(true);
    const FakeDaemon daemon(socket, [&](const FakeDaemon::Request&) {
        return FakeDaemon::Answer{200, certificate.dump()};
    });
    const auto line_of = [](const std::string& text, const std::string& about) {
        const auto at = text.find(about);
        return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
    };

    const auto incomplete = call({"certificate", "--socket", socket});
    CHECK(incomplete.code == 0);
    CHECK(line_of(incomplete.out, "owner") == "owner     " + exited.owner.id().text());
    CHECK(line_of(incomplete.out, "complete") == "complete  no: 1 of 2 recorded holders did not sign");
    const auto signer = exited.signer.id().text();
    CHECK(line_of(incomplete.out, signer) ==
          signer + "  erased         1  2026-11-23 02:13:20Z  2026-11-23 08:00:00Z");
    CHECK(line_of(incomplete.out, exited.silent.text()).find("  missing        1  -") != std::string::npos);
    CHECK(incomplete.out.find("cannot prove that no dishonest holder kept a copy") != std::string::npos);
    CHECK(incomplete.out.find('{') == std::string::npos);

    certificate = exited.certificate(false);
    const auto complete = call({"certificate", "--socket", socket});
    CHECK(line_of(complete.out, "complete") == "complete  yes");
    CHECK(json::parse(call({"certificate", "--json", "--socket", socket}).out) == certificate);
    const auto file = folder / "c.json";
    CHECK(call({"certificate", "-o", file, "--socket", socket}).code == 0);
    CHECK(call({"verify", "--complete", file}).code == 0);

    // What does not verify has no time.
    certificate["holders"] = {{{"node", signer}, {"receipt", {{"bytes", "zz"}}}}, "x"};
    const auto broken = call({"certificate", "--socket", socket});
    CHECK(broken.code == 0);
    CHECK(line_of(broken.out, signer) == signer + "  -             -  -          -");
    certificate = json::array();
    CHECK(call({"certificate", "--socket", socket}).code == 1);
}

TEST_CASE("an incomplete certificate is valid, and exit code 5 for those who ask for all receipts") {
    const Exited exited;
    const TemporaryFolder folder;
    const auto file = folder.write("c.json", exited.certificate(true).dump());
    const auto called = call({"verify", file});
    CHECK(called.code == 0);
    CHECK(called.out.find("1 recorded holder signed nothing") != std::string::npos);
    CHECK(call({"verify", file, "--complete"}).code == 5);
}

TEST_CASE("a certificate with a changed byte is exit code 4") {
    const Exited exited;
    const TemporaryFolder folder;
    auto certificate = exited.certificate(false);
    auto& signature = certificate["holders"][0]["receipt"]["signature"].get_ref<std::string&>();
    signature[0] = signature[0] == '0' ? '1' : '0';
    const auto called = call({"verify", folder.write("c.json", certificate.dump())});
    CHECK(called.code == 4);
    CHECK(called.err.find("c.json: ") != std::string::npos);
    CHECK(called.out.empty());

    auto renamed = exited.certificate(true);
    renamed["complete"] = true;
    CHECK(call({"verify", folder.write("d.json", renamed.dump())}).code == 4);
}

TEST_CASE("a sealed exit, and the certificate of one, say that holders are unknown") {
    const Exited exited;
    const TemporaryFolder folder;
    const auto sealed = runtime::make_sealed_exit(exited.network, exited.notice);
    const auto called = call({"verify", folder.write("s.json", sealed.dump())});
    CHECK(called.code == 0);
    CHECK(called.out.find("sealed exit of  " + exited.owner.id().text()) != std::string::npos);
    CHECK(call({"verify", folder / "s.json", "--complete"}).code == 5);

    const auto certificate = runtime::make_sealed_certificate(exited.network, exited.notice);
    const auto file = folder.write("c.json", certificate.dump());
    CHECK(call({"verify", file}).out.find("valid, holders unknown") != std::string::npos);
    CHECK(call({"verify", file, "--complete"}).code == 5);

    auto forged = sealed;
    auto& signature = forged["notice"]["signature"].get_ref<std::string&>();
    signature[0] = signature[0] == '0' ? '1' : '0';
    CHECK(call({"verify", folder.write("f.json", forged.dump())}).code == 4);
    CHECK(call({"exit", "--yes", "--sealed", folder / "f.json", "--socket", folder / "none"}).code == 4);
}

TEST_CASE("a file that is no certificate is refused in one line") {
    const TemporaryFolder folder;
    CHECK(call({"verify", folder / "none"}).code == 2);
    CHECK(call({"verify", folder.path().string()}).code == 2);
    CHECK(call({"verify", folder.write("text", "hello")}).code == 2);
    CHECK(call({"verify", folder.write("list", "[1]")}).code == 2);
    CHECK(call({"verify", folder.write("other", "{}")}).code == 4);
    CHECK(call({"verify", folder.write("deep", R"({"schema":5})")}).code == 4);
}

}  // namespace
