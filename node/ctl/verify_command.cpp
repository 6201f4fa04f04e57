#include <memory>

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
    std::string file;
    bool complete = false;
};

std::string counted(std::size_t number, const char* one, const char* more) {
    return std::to_string(number) + " " + (number == 1 ? one : more);
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
    if (signed_by == 0 && verdict.missing.empty())
        out << "The owner's record names no holder: it says that nobody was ever served the seed.\n";
    if (!verdict.missing.empty())
        out << "Not proved: " << counted(verdict.missing.size(), "recorded holder", "recorded holders")
            << " signed nothing. A correct one uses the seed no longer than its last lease.\n";
    out << "Not proved: that no dishonest holder kept a copy, and that the owner's own record of holders is\n"
           "whole. Nobody can prove the first.\n";
}

Outcome<ExitCode> verify_sealed(const Context& context, const json& file, const VerifyOptions& options) {
    const auto sealed = check_sealed_exit(file);
    if (!sealed) return fail_with(sealed.error().code, options.file + ": " + sealed.error().message);
    // No holder has signed that a seed is erased.
    const ExitCode code = options.complete ? ExitCode::incomplete : ExitCode::ok;
    if (context.json) {
        context.show({{"kind", "sealed exit"},
                      {"valid", true},
                      {"owner", sealed->owner.text()},
                      {"network", protocol::to_hex(sealed->network.view())}});
        return code;
    }
    Facts facts;
    facts.add("sealed exit of", sealed->owner.text());
    facts.add("network", protocol::to_hex(sealed->network.view()));
    facts.print(context.console.out);
    context.console.out << "\nProved: the owner signed that it leaves this network for ever.\n"
                           "Not proved: that anybody was told. Use it with: unlearnctl exit --sealed FILE\n";
    return code;
}

json ids(const std::vector<protocol::NodeId>& nodes) {
    json out = json::array();
    for (const auto& node : nodes)
        out.push_back(node.text());
    return out;
}

Outcome<ExitCode> verify(const Context& context, const VerifyOptions& options) {
    const auto file = read_json_file(options.file);
    if (!file) return tl::unexpected(file.error());
    if (!file->is_object())
        return fail_with(ExitCode::bad_input, options.file + ": is neither a certificate nor a sealed exit");
    if (file->value("schema", json()) == kSealedExitSchema) return verify_sealed(context, *file, options);

    const auto verdict = runtime::verify_certificate(*file);
    if (!verdict) return fail_with(ExitCode::not_verified, options.file + ": " + verdict.error().text());
    const bool holders_known = !verdict->holders_unknown;
    const bool complete = verdict->complete();
    if (context.json) {
        context.show({{"kind", "certificate"},
                      {"valid", true},
                      {"complete", complete},
                      {"owner", verdict->owner.text()},
                      {"holders_known", holders_known},
                      {"erased", ids(verdict->erased)},
                      {"left", ids(verdict->left)},
                      {"missing", ids(verdict->missing)}});
    } else {
        Facts facts;
        facts.add("owner", verdict->owner.text());
        facts.add("network", field(*file, "network"));
        facts.add("verdict", complete        ? "valid and complete"
                             : holders_known ? "valid, incomplete"
                                             : "valid, holders unknown");
        facts.print(context.console.out);
        context.console.out << '\n';
        if (holders_known) print_holders(*file, context.console.out);
        print_meaning(*verdict, context.console.out);
    }
    return options.complete && !complete ? ExitCode::incomplete : ExitCode::ok;
}

}  // namespace

void add_verify_command(CLI::App& app, Commands& commands) {
    auto* command = app.add_subcommand("verify", "Check a certificate or a sealed exit, offline");
    auto options = std::make_shared<VerifyOptions>();
    command->add_option("FILE", options->file, "certificate or sealed exit (JSON)")->required();
    command->add_flag("--complete", options->complete, "exit code 5 unless every recorded holder has signed");
    commands.on(command, [options](const Context& context) { return verify(context, *options); });
}

}  // namespace unlearn::ctl
