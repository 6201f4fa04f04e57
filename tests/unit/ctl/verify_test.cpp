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
        auto progress = progress_with(with_silent);
        progress.list = list_of(progress.recipients);
        return runtime::make_certificate(owner.id(), network, progress);
    }
    [[nodiscard]] SignedBytes list_of(const Recipients& holders, bool restored = false) const {
        return sign_holder_list(
            owner, network,
            {owner.id(), digest_of(notice.bytes), static_cast<std::uint32_t>(holders.size()),
             digest_of_holders(holders), restored});
    }
    [[nodiscard]] ExitProgress progress_with(bool with_silent) const {
        ExitProgress progress;
        progress.begun = true;
        progress.notice = notice;
        progress.recipients[signer.id()] = {SeedVersion{1}, WallTime{std::chrono::seconds(1'795'420'800)}};
        if (with_silent) progress.recipients[silent].version = SeedVersion{1};
        progress.receipts[signer.id()] =
            sign_receipt(signer, network,
                         {owner.id(), signer.id(), ReceiptReason::exit, SeedVersion{1},
                          WallTime{std::chrono::seconds(1'795'400'000)}});
        return progress;
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

TEST_CASE("a certificate is complete only with the owner's signature under its list of holders") {
    const Exited exited;
    const TemporaryFolder folder;
    const auto file = folder / "c.json";
    const auto verify = [&](const json& certificate) {
        folder.write("c.json", certificate.dump());
        return call({"verify", file, "--complete"});
    };
    auto progress = exited.progress_with(false);
    SUBCASE("without a signature") {
        const auto called = verify(runtime::make_certificate(exited.owner.id(), exited.network, progress));
        CHECK(called.code == 5);
        CHECK(called.out.find("valid, list of holders unsigned") != std::string::npos);
        CHECK(called.out.find("anyone could have") != std::string::npos);
    }
    SUBCASE("a restored owner signs only what is on record") {
        progress.list = exited.list_of(progress.recipients, true);
        const auto called = verify(runtime::make_certificate(exited.owner.id(), exited.network, progress));
        CHECK(called.code == 0);
        CHECK(called.out.find("complete for the holders on record") != std::string::npos);
        CHECK(json::parse(call({"verify", file, "--json"}).out)["owner_was_restored"] == true);
    }
    SUBCASE("a holder removed, and everything said anew") {
        auto certificate = exited.certificate(true);
        certificate["holders"].erase(certificate["holders"][0]["status"] == "missing" ? 0 : 1);
        certificate["complete"] = true;
        const auto called = verify(certificate);
        CHECK(called.code == 4);
        CHECK(called.err.find("the holders are not those that the owner signed") != std::string::npos);
        certificate["list"] = nullptr;
        CHECK(verify(certificate).code == 4);
        certificate["complete"] = false;
        CHECK(verify(certificate).code == 5);
    }
    SUBCASE("a version or a lease changed") {
        auto certificate = exited.certificate(false);
        SUBCASE("version") {
            certificate["holders"][0]["served_version"] = 0;
        }
        SUBCASE("lease") {
            certificate["holders"][0]["last_lease_until"] = "2026-11-23T08:00:01Z";
        }
        CHECK(verify(certificate).code == 4);
    }
    SUBCASE("a list for another notice of the same owner") {
        const auto other = sign_notice(exited.owner, exited.network,
                                       {exited.owner.id(), WallTime{std::chrono::seconds(2000)}, {}});
        auto certificate = exited.certificate(false);
        certificate["notice"] = {{"bytes", to_hex(other.bytes)},
                                 {"signature", to_hex(other.signature.view())}};
        CHECK(verify(certificate).code == 4);
    }
    SUBCASE("a list that somebody else signed for the owner's notice") {
        progress.list = sign_holder_list(
            exited.signer, exited.network,
            {exited.signer.id(), digest_of(exited.notice.bytes), 1, digest_of_holders(progress.recipients)});
        // It is not taken into a certificate either.
        auto certificate = runtime::make_certificate(exited.owner.id(), exited.network, progress);
        CHECK(certificate["list"].is_null());
        certificate["list"] = {{"bytes", to_hex(progress.list->bytes)},
                               {"signature", to_hex(progress.list->signature.view())}};
        certificate["complete"] = true;
        const auto called = verify(certificate);
        CHECK(called.code == 4);
        CHECK(called.err.find("the holders are not those that the owner signed") != std::string::npos);
    }
    SUBCASE("the owner among its own holders") {
        progress.recipients[exited.owner.id()] = {SeedVersion{1}, WallTime{}};
        progress.receipts[exited.owner.id()] =
            sign_receipt(exited.owner, exited.network,
                         {exited.owner.id(), exited.owner.id(), ReceiptReason::exit, SeedVersion{1}, {}});
        progress.list = exited.list_of(progress.recipients);
        CHECK(verify(runtime::make_certificate(exited.owner.id(), exited.network, progress)).code == 4);
    }
    SUBCASE("a holder's receipt for another owner") {
        progress.receipts[exited.signer.id()] =
            sign_receipt(exited.signer, exited.network,
                         {exited.silent, exited.signer.id(), ReceiptReason::exit, SeedVersion{1}, {}});
        progress.list = exited.list_of(progress.recipients);
        const auto called = verify(runtime::make_certificate(exited.owner.id(), exited.network, progress));
        CHECK(called.code == 4);
        CHECK(called.err.find("receipt for another owner") != std::string::npos);
    }
    SUBCASE("in the first schema a holder counts as left without its exit") {
        progress.receipts[exited.signer.id()] =
            sign_receipt(exited.signer, exited.network,
                         {exited.owner.id(), exited.signer.id(), ReceiptReason::left, SeedVersion{1}, {}});
        auto certificate = runtime::make_certificate(exited.owner.id(), exited.network, progress);
        certificate["schema"] = "unlearnd erasure certificate 1";
        certificate.erase("list");
        certificate["holders"][0]["status"] = "left";
        certificate["holders"][0]["receipt"] = {
            {"bytes", to_hex(progress.receipts[exited.signer.id()].bytes)},
            {"signature", to_hex(progress.receipts[exited.signer.id()].signature.view())}};
        certificate["complete"] = true;
        CHECK(verify(certificate).code == 5);
        CHECK(json::parse(call({"verify", file, "--json"}).out)["left"].size() == 1);
    }
    SUBCASE("a certificate of the first schema says so") {
        auto certificate = exited.certificate(false);
        certificate["schema"] = "unlearnd erasure certificate 1";
        certificate.erase("list");
        const auto called = verify(certificate);
        CHECK(called.code == 5);
        CHECK(called.out.find("The owner did not sign the list") != std::string::npos);
    }
}

TEST_CASE("two different lists of one owner are refused together") {
    const Exited exited;
    const TemporaryFolder folder;
    const auto one = folder.write("one.json", exited.certificate(false).dump());
    const auto other = folder.write("other.json", exited.certificate(true).dump());
    CHECK(call({"verify", one}).code == 0);
    CHECK(call({"verify", other}).code == 0);
    const auto called = call({"verify", one, other});
    CHECK(called.code == 4);
    CHECK(called.err.find("one.json and ") != std::string::npos);
    CHECK(called.err.find("signed two different lists of holders") != std::string::npos);
    CHECK(call({"verify", one, one}).code == 0);
    CHECK(json::parse(call({"verify", "--json", one, one}).out).size() == 2);
    // Another owner's list is no contradiction.
    const auto stranger = folder.write("stranger.json", Exited{}.certificate(false).dump());
    CHECK(call({"verify", one, stranger}).code == 0);
    // Nor is the list of the same key in another network.
    const Exited elsewhere{.network = network_id_of({"elsewhere", {1, 2, 2}, {"a", "b"}, "none", {}}),
                           .owner = Identity::from_seed(exited.owner.secret_seed())};
    CHECK(call({"verify", one, folder.write("elsewhere.json", elsewhere.certificate(false).dump())}).code ==
          0);
}

TEST_CASE("a holder that says it never asked for what it was served is doubtful") {
    const Exited exited;
    const TemporaryFolder folder;
    auto progress = exited.progress_with(false);
    progress.recipients[exited.signer.id()].version = SeedVersion{3};
    progress.list = exited.list_of(progress.recipients);
    const auto with_receipt = [&](SeedVersion erased, SeedVersion asked) {
        progress.receipts[exited.signer.id()] = sign_receipt(
            exited.signer, exited.network,
            {exited.owner.id(), exited.signer.id(), ReceiptReason::exit, erased, WallTime{}, asked});
        return folder.write("c.json",
                            runtime::make_certificate(exited.owner.id(), exited.network, progress).dump());
    };
    const auto doubtful = call({"verify", "--complete", with_receipt(SeedVersion{1}, SeedVersion{2})});
    CHECK(doubtful.code == 5);
    CHECK(doubtful.out.find("never asked for that version") != std::string::npos);
    // Nothing was put in place, but it did ask: an honest holder that refused the seed.
    CHECK(call({"verify", "--complete", with_receipt(SeedVersion{0}, SeedVersion{3})}).code == 0);
}

TEST_CASE("a holder counts as left only with its own exit") {
    const Exited exited;
    const TemporaryFolder folder;
    auto progress = exited.progress_with(false);
    progress.list = exited.list_of(progress.recipients);
    progress.receipts[exited.signer.id()] =
        sign_receipt(exited.signer, exited.network,
                     {exited.owner.id(), exited.signer.id(), ReceiptReason::left, SeedVersion{1}, WallTime{},
                      SeedVersion{1}});
    const auto verdict = [&] {
        const auto certificate = runtime::make_certificate(exited.owner.id(), exited.network, progress);
        const auto file = folder.write("c.json", certificate.dump());
        return json::parse(call({"verify", file, "--json"}).out);
    };
    CHECK(verdict()["missing"].size() == 1);
    {
        // Nobody may be called missing beside a receipt.
        auto certificate = runtime::make_certificate(exited.owner.id(), exited.network, progress);
        for (auto& holder : certificate["holders"])
            holder["receipt"] = certificate["notice"];
        CHECK(call({"verify", folder.write("beside.json", certificate.dump())}).code == 4);
    }
    progress.left[exited.signer.id()] =
        sign_notice(exited.signer, exited.network, {exited.signer.id(), WallTime{}, {}});
    CHECK(verdict()["left"].size() == 1);
    CHECK(verdict()["complete"] == true);
    // The exit of somebody else does not do.
    auto certificate = runtime::make_certificate(exited.owner.id(), exited.network, progress);
    certificate["holders"][0]["exit"] = certificate["notice"];
    CHECK(call({"verify", folder.write("c.json", certificate.dump())}).code == 4);
    certificate["holders"][0].erase("exit");
    CHECK(call({"verify", folder.write("c.json", certificate.dump())}).code == 4);
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
