#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "node/ctl/certificate_table.hpp"
#include "node/ctl/command.hpp"
#include "node/ctl/json_file.hpp"
#include "node/ctl/sealed_exit.hpp"
#include "node/ctl/table.hpp"
#include "node/runtime/certificate.hpp"

// The command that checks offline what others show: verify.
namespace unlearn::ctl {
namespace {

using nlohmann::json;

struct VerifyOptions {
    std::vector<std::string> files;
    bool complete = false;
};

/// One file that was checked.
struct Checked {
    std::string file;
    std::optional<runtime::CertificateVerdict> certificate;  ///< nothing for a sealed exit
    bool complete = false;
};

std::string counted(std::size_t number, const char* one, const char* more) {
    return std::to_string(number) + " " + (number == 1 ? one : more);
}

void print_meaning_of_list(runtime::ListProof proof, std::ostream& out) {
    switch (proof) {
        case runtime::ListProof::none:
            out << "Not proved: that these are all holders. The owner did not sign the list, so anyone could "
                   "have\n"
                   "removed some.\n";
            return;
        case runtime::ListProof::signed_:
            out << "Proved: the owner signed that these are all nodes that it ever served.\n";
            return;
        case runtime::ListProof::on_record:
            out << "Proved: the owner signed that these are all nodes on its record. It also signed that its "
                   "state\n"
                   "was an old copy once, so the record may lack some.\n";
            return;
    }
}

std::string_view verdict_text(const runtime::CertificateVerdict& verdict) {
    if (verdict.holders_unknown) return "valid, holders unknown";
    if (verdict.complete())
        return verdict.list_proof == runtime::ListProof::signed_
                   ? "valid and complete"
                   : "valid, complete for the holders on record";
    if (verdict.missing.empty() && verdict.doubtful.empty()) return "valid, list of holders unsigned";
    return "valid, incomplete";
}

void print_meaning(const runtime::CertificateVerdict& verdict, std::ostream& out) {
    out << "Proved: " << verdict.owner.short_text() << " signed that it leaves this network for ever.\n";
    if (verdict.holders_unknown) {
        out << "Not proved: who held its seed, and whether they dropped it. This certificate was made from "
               "a\n"
               "sealed exit, by a node that does not have the owner's records.\n";
        return;
    }
    const auto signed_by = verdict.erased.size() + verdict.left.size();
    if (signed_by > 0)
        out << "Proved: " << counted(signed_by, "recorded holder", "recorded holders")
            << " signed that the seed is out of the ensemble, overwritten, and never used again.\n";
    if (signed_by == 0 && verdict.doubtful.empty() && verdict.missing.empty())
        out << "The owner's record names no holder: it says that nobody was ever served the seed.\n";
    print_meaning_of_list(verdict.list_proof, out);
    if (!verdict.doubtful.empty())
        out << "Not proved: that " << counted(verdict.doubtful.size(), "holder", "holders")
            << " erased what was served. They signed that they never asked for that version.\n";
    if (!verdict.missing.empty())
        out << "Not proved: " << counted(verdict.missing.size(), "recorded holder", "recorded holders")
            << " signed nothing. A correct one uses the seed no longer than its last lease.\n";
    out << "Not proved: that no dishonest holder kept a copy. Nobody can prove that.\n";
}

json sealed_json(const SealedExit& sealed) {
    return {{"kind", "sealed exit"},
            {"valid", true},
            {"owner", sealed.owner.text()},
            {"network", protocol::to_hex(sealed.network.view())}};
}

void print_sealed(const SealedExit& sealed, std::ostream& out) {
    Facts facts;
    facts.add("sealed exit of", sealed.owner.text());
    facts.add("network", protocol::to_hex(sealed.network.view()));
    facts.print(out);
    out << "\nProved: the owner signed that it leaves this network for ever.\n"
           "Not proved: that anybody was told. Use it with: unlearnctl exit --sealed FILE\n";
}

json ids(const std::vector<protocol::NodeId>& nodes) {
    json out = json::array();
    for (const auto& node : nodes)
        out.push_back(node.text());
    return out;
}

json verdict_json(const runtime::CertificateVerdict& verdict) {
    return {{"kind", "certificate"},
            {"valid", true},
            {"complete", verdict.complete()},
            {"owner", verdict.owner.text()},
            {"holders_known", !verdict.holders_unknown},
            {"list_signed", verdict.list_proof != runtime::ListProof::none},
            {"owner_was_restored", verdict.list_proof == runtime::ListProof::on_record},
            {"erased", ids(verdict.erased)},
            {"left", ids(verdict.left)},
            {"doubtful", ids(verdict.doubtful)},
            {"missing", ids(verdict.missing)}};
}

void print_verdict(const runtime::CertificateVerdict& verdict, const json& certificate, std::ostream& out) {
    Facts facts;
    facts.add("owner", verdict.owner.text());
    facts.add("network", field(certificate, "network"));
    facts.add("verdict", std::string(verdict_text(verdict)));
    facts.print(out);
    out << '\n';
    if (!verdict.holders_unknown) print_holders(certificate, out);
    print_meaning(verdict, out);
}

/// Checks one file, prints what it proves, and adds it to `shown` as JSON.
Outcome<Checked> check_file(const Context& context, const std::string& name, json& shown) {
    const auto file = read_json_file(name);
    if (!file) return tl::unexpected(file.error());
    if (!file->is_object())
        return fail_with(ExitCode::bad_input, name + ": is neither a certificate nor a sealed exit");
    if (file->value("schema", json()) == kSealedExitSchema) {
        const auto sealed = check_sealed_exit(*file);
        if (!sealed) return fail_with(sealed.error().code, name + ": " + sealed.error().message);
        shown.push_back(sealed_json(*sealed));
        if (!context.json) print_sealed(*sealed, context.console.out);
        return Checked{name, std::nullopt, false};  // no holder has signed that a seed is erased
    }
    auto verdict = runtime::verify_certificate(*file);
    if (!verdict) return fail_with(ExitCode::not_verified, name + ": " + verdict.error().text());
    shown.push_back(verdict_json(*verdict));
    if (!context.json) print_verdict(*verdict, *file, context.console.out);
    const bool complete = verdict->complete();
    return Checked{name, std::move(*verdict), complete};
}

/// An owner that signed two lists of holders has shown that its word is worth nothing.
Outcome<void> check_against_each_other(const std::vector<Checked>& files) {
    for (std::size_t i = 0; i < files.size(); ++i)
        for (std::size_t j = i + 1; j < files.size(); ++j)
            if (files[i].certificate && files[j].certificate &&
                runtime::contradict(*files[i].certificate, *files[j].certificate))
                return fail_with(ExitCode::not_verified,
                                 files[i].file + " and " + files[j].file + ": the owner " +
                                     files[i].certificate->owner.short_text() +
                                     " signed two different lists of holders, so neither counts");
    return {};
}

Outcome<ExitCode> verify(const Context& context, const VerifyOptions& options) {
    json shown = json::array();
    std::vector<Checked> files;
    for (const auto& name : options.files) {
        if (!files.empty() && !context.json) context.console.out << "\n";
        auto checked = check_file(context, name, shown);
        if (!checked) return tl::unexpected(checked.error());
        files.push_back(std::move(*checked));
    }
    if (auto agree = check_against_each_other(files); !agree) return tl::unexpected(agree.error());
    if (context.json) context.show(files.size() == 1 ? shown.front() : shown);
    const bool complete =
        std::all_of(files.begin(), files.end(), [](const Checked& file) { return file.complete; });
    return options.complete && !complete ? ExitCode::incomplete : ExitCode::ok;
}

}  // namespace

void add_verify_command(CLI::App& app, Commands& commands) {
    auto* command = app.add_subcommand("verify", "Check certificates and sealed exits, offline");
    auto options = std::make_shared<VerifyOptions>();
    command
        ->add_option("FILE", options->files,
                     "certificate or sealed exit (JSON); several are also compared with each other")
        ->required();
    command->add_flag("--complete", options->complete,
                      "exit code 5 unless the owner and every recorded holder have signed");
    commands.on(command, [options](const Context& context) { return verify(context, *options); });
}

}  // namespace unlearn::ctl
