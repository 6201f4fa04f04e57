#include <chrono>
#include <memory>

#include "node/ctl/acting_as.hpp"
#include "node/ctl/certificate_table.hpp"
#include "node/ctl/command.hpp"
#include "node/ctl/json_file.hpp"
#include "node/ctl/sealed_exit.hpp"
#include "node/ctl/table.hpp"
#include "node/runtime/certificate.hpp"
#include "node/storage/loader.hpp"

// The commands for leaving the network for ever: exit, certificate.
namespace unlearn::ctl {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using std::chrono::steady_clock;

struct ExitOptions {
    bool wait = false;
    std::int64_t timeout_s = 0;  ///< 0: no limit
    bool give_up = false;
    bool yes = false;
    std::string sealed;
    std::string out;
};

/// Returns true when the daemon's work is over, as the certificate that it left behind shows.
bool has_ended(const Context& context) {
    if (!context.socket_given.empty() && !context.config_given) return false;
    const auto places = context.places();
    if (!places) return false;
    const ActingAs owner(places->data_dir);
    std::error_code error;
    return std::filesystem::exists(places->data_dir / "certificate.json", error);
}

/// Returns a client that does not wait when the daemon's work is over.
Outcome<ControlClient> daemon_or_what_it_left(const Context& context) {
    auto daemon = context.daemon();
    if (daemon && has_ended(context)) return daemon->without_patience();
    return daemon;
}

/// Returns the certificate that the daemon left behind: it stops once its own exit is over.
Outcome<json> certificate_in_data_dir(const Context& context) {
    // A socket alone does not say which data folder to look in.
    if (!context.socket_given.empty() && !context.config_given)
        return fail_with(ExitCode::unreachable,
                         "unlearnd is not running; with --config its certificate can be found");
    const auto places = context.places();
    if (!places) return tl::unexpected(places.error());
    const ActingAs owner(places->data_dir);
    const auto path = places->data_dir / "certificate.json";
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        return fail_with(ExitCode::unreachable,
                         "unlearnd is not running, and " + path.string() +
                             (error ? ": " + error.message() : std::string(" does not exist")));
    return read_json_file(path);
}

/// Makes the certificate from the state of a node that is not running, for instance because the daemon could
/// not write it on a full disk. The error is `why` there is no certificate without this.
Outcome<json> certificate_from_state(const Context& context, const Failure& why) {
    const auto places = context.places();
    if (!places) return tl::unexpected(why);
    const auto state = places->data_dir / "state";
    const ActingAs owner(places->data_dir);
    std::error_code error;
    if (!std::filesystem::exists(state / "state.db", error)) return tl::unexpected(why);
    const auto exit = storage::read_stored_exit(state);
    if (!exit)
        return fail_with(why.code, why.message + "; and its state cannot be read: " + exit.error().detail);
    if (!*exit) return fail_with(why.code, why.message + "; and its state knows of no exit");
    protocol::ExitProgress progress;
    progress.notice = (*exit)->notice;
    for (const auto& recipient : (*exit)->recipients)
        progress.recipients.emplace(recipient.peer,
                                    protocol::Recipient{recipient.version, recipient.lease_until});
    for (const auto& receipt : (*exit)->receipts)
        progress.receipts.emplace(receipt.holder, receipt.receipt);
    progress.list = (*exit)->list;
    for (const auto& tombstone : (*exit)->tombstones)
        if (progress.recipients.contains(tombstone.owner))
            progress.left.emplace(tombstone.owner, tombstone.notice);
    return runtime::make_certificate((*exit)->binding.self, (*exit)->binding.network, progress);
}

/// Returns the certificate that the daemon left behind, or makes it when there is none or the file is broken.
Outcome<json> certificate_without_daemon(const Context& context) {
    auto certificate = certificate_in_data_dir(context);
    if (certificate && certificate->is_object()) return certificate;
    return certificate_from_state(
        context, certificate ? Failure{ExitCode::failed, "certificate.json is not a certificate"}
                             : certificate.error());
}

Outcome<json> find_certificate(const Context& context) {
    const auto daemon = daemon_or_what_it_left(context);
    if (!daemon) return tl::unexpected(daemon.error());
    auto certificate = daemon->get("/v1/certificate");
    if (!certificate && certificate.error().code == ExitCode::unreachable)
        return certificate_without_daemon(context);
    return certificate;
}

Outcome<ExitCode> certificate(const Context& context, const std::string& out) {
    const auto found = find_certificate(context);
    if (!found) return tl::unexpected(found.error());
    if (!found->is_object()) return fail_with(ExitCode::failed, "what was found is not a certificate");
    if (out.empty()) {
        if (context.json) {
            context.show(*found);
            return ExitCode::ok;
        }
        print_certificate(*found, context.console.out);
        context.console.out << "For others, who can check the signatures: unlearnctl certificate -o FILE\n";
        return ExitCode::ok;
    }
    if (auto written = replace_json_file(out, *found); !written) return tl::unexpected(written.error());
    if (!context.json)
        context.console.out << "written to " << out << "; check it with: unlearnctl verify " << out << '\n';
    return ExitCode::ok;
}

/// Returns what `GET /v1/exit` would answer, from a certificate that the daemon left behind.
json progress_of(const json& certificate) {
    json progress{{"begun", true}, {"erased", 0}, {"left", 0}, {"doubtful", 0}, {"missing", 0}};
    for (const auto& holder : certificate.value("holders", json::array())) {
        const auto status = holder.value("status", "");
        if (progress.contains(status)) progress[status] = progress[status].get<int>() + 1;
    }
    progress["list_signed"] = !certificate.value("list", json()).is_null();
    // Every holder has signed something, and so has the owner.
    const bool complete =
        certificate.value("complete", false) || (progress["missing"] == 0 && progress["list_signed"] == true);
    progress["complete"] = complete;
    progress["given_up"] = !complete;
    return progress;
}

bool over(const json& progress) {
    return progress.value("complete", false) || progress.value("given_up", false);
}

void print_progress(const Context& context, const json& progress) {
    if (context.json) {
        context.show(progress);
        return;
    }
    auto& out = context.console.out;
    if (progress.value("complete", false))
        out << "exit complete: every recorded holder has signed a receipt\n";
    else if (progress.value("given_up", false))
        out << "exit given up: it is final, and no further receipts are requested\n";
    else
        out << "exit begun: it is final, and goes on until every holder has signed\n";
    out << "erased " << field(progress, "erased") << ", left " << field(progress, "left") << ", missing "
        << field(progress, "missing") << "\n";
    if (progress.value("doubtful", 0) > 0)
        out << "doubtful " << field(progress, "doubtful")
            << ": they signed that they never asked for the version that they were served\n";
    if (over(progress) && !progress.value("list_signed", true))
        out << "the list of holders is not signed, so the certificate is not complete\n";
    out << "see: unlearnctl certificate\n";
}

/// Returns the answer to `GET /v1/exit`, or what the certificate says once the daemon is gone.
Outcome<json> exit_progress(const Context& context, const ControlClient& daemon, seconds wait) {
    constexpr seconds kMargin{30};
    const auto target =
        wait.count() > 0 ? "/v1/exit?wait_s=" + std::to_string(wait.count()) : std::string("/v1/exit");
    auto progress = daemon.get(target, wait + kMargin);
    if (progress || progress.error().code != ExitCode::unreachable) return progress;
    const auto certificate = certificate_in_data_dir(context);
    if (!certificate) return tl::unexpected(progress.error());
    if (!certificate->is_object())
        return fail_with(ExitCode::failed, "certificate.json in the data folder is not a certificate");
    return progress_of(*certificate);
}

/// Returns one line, for users who wait, with the holders whose receipts are missing.
std::string missing_holders(const json& progress) {
    constexpr std::size_t kMostNamed = 5;
    std::string line;
    std::size_t missing = 0;
    for (const auto& holder : progress.value("holders", json::array())) {
        if (field(holder, "status") != "missing") continue;
        if (++missing <= kMostNamed) line += (missing == 1 ? "" : ", ") + short_id(field(holder, "node"));
    }
    if (missing > kMostNamed) line += " and " + std::to_string(missing - kMostNamed) + " more";
    return line;
}

Outcome<ExitCode> wait_for_receipts(const Context& context, const ControlClient& daemon,
                                    const ExitOptions& options, json progress) {
    constexpr seconds kOnePoll{20};
    std::string told;
    const auto end = steady_clock::now() + seconds(options.timeout_s);
    while (!over(progress)) {
        auto wait = kOnePoll;
        if (options.timeout_s > 0) {
            const auto left = std::chrono::ceil<seconds>(end - steady_clock::now());
            if (left.count() <= 0) break;
            wait = std::min(wait, left);
        }
        auto next = exit_progress(context, daemon, wait);
        if (!next) return tl::unexpected(next.error());
        progress = std::move(*next);
        if (auto missing = missing_holders(progress);
            !over(progress) && !missing.empty() && missing != told) {
            context.console.err << "waiting for receipts of " << missing << " (see: unlearnctl peers)\n";
            told = std::move(missing);
        }
    }
    print_progress(context, progress);
    const bool proved = progress.value("complete", false) && progress.value("doubtful", 0) == 0;
    return proved ? ExitCode::ok : ExitCode::incomplete;
}

Outcome<void> confirm_own_exit(const Context& context, const ControlClient& daemon,
                               const ExitOptions& options, bool begun) {
    // Waiting for an exit that has begun loses nothing, so it needs no confirmation. Giving up does.
    if (options.yes || (begun && !options.give_up)) return {};
    const auto status = daemon.get("/v1/status");
    if (!status) return tl::unexpected(status.error());
    const std::string what =
        options.give_up ? "Holders that have not signed a receipt by now stay listed as missing for ever."
                        : "This node leaves its network for ever. It cannot come back under this identity.";
    return context.confirm(what, short_id(field(*status, "id")));
}

Outcome<ExitCode> own_exit(const Context& context, const ExitOptions& options) {
    auto daemon = daemon_or_what_it_left(context);
    if (!daemon) return tl::unexpected(daemon.error());
    auto progress = exit_progress(context, *daemon, seconds(0));
    if (!progress) return tl::unexpected(progress.error());
    daemon = daemon->without_patience();
    if (!over(*progress)) {
        const bool begun = progress->value("begun", false);
        if (auto sure = confirm_own_exit(context, *daemon, options, begun); !sure)
            return tl::unexpected(sure.error());
        if (!begun || options.give_up) {
            progress = daemon->post("/v1/exit", json{{"give_up", options.give_up}});
            if (!progress) return tl::unexpected(progress.error());
        }
    }
    if (options.wait) return wait_for_receipts(context, *daemon, options, std::move(*progress));
    print_progress(context, *progress);
    return ExitCode::ok;
}

Outcome<ExitCode> submit_sealed_exit(const Context& context, const ExitOptions& options) {
    const auto file = read_json_file(options.sealed);
    if (!file) return tl::unexpected(file.error());
    const auto sealed = check_sealed_exit(*file);
    if (!sealed) return fail_with(sealed.error().code, options.sealed + ": " + sealed.error().message);
    if (!options.yes) {
        const auto sure = context.confirm(
            "The node " + sealed->owner.text() + " leaves its network for ever.", sealed->owner.short_text());
        if (!sure) return tl::unexpected(sure.error());
    }
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto answer = daemon->post("/v1/exit/sealed", *file);
    if (!answer) return tl::unexpected(answer.error());
    if (!options.out.empty())
        if (auto written = replace_json_file(options.out, *answer); !written)
            return tl::unexpected(written.error());
    if (context.json)
        context.show(*answer);
    else
        context.console.out
            << "the exit of " << sealed->owner.short_text()
            << " is stored here and passed on to every peer; who held its seed is not known\n";
    return ExitCode::ok;
}

Outcome<ExitCode> exit(const Context& context, const ExitOptions& options) {
    if (options.sealed.empty()) return own_exit(context, options);
    return submit_sealed_exit(context, options);
}

}  // namespace

void add_exit_commands(CLI::App& app, Commands& commands) {
    auto* exit_command = app.add_subcommand("exit", "Leave the network for ever, and be forgotten");
    auto options = std::make_shared<ExitOptions>();
    auto* wait = exit_command->add_flag("--wait", options->wait, "return when every holder has signed");
    exit_command->add_option("--timeout", options->timeout_s, "with --wait: seconds until exit code 5")
        ->check(CLI::Range(1, 1'000'000'000))
        ->needs(wait);
    auto* give_up = exit_command->add_flag("--give-up", options->give_up,
                                           "end the exit now; holders that have not signed are missing");
    auto* sealed = exit_command->add_option("--sealed", options->sealed,
                                            "make the owner of this sealed exit leave, whose device is lost");
    sealed->excludes(wait)->excludes(give_up);
    exit_command->add_option("-o,--output", options->out, "with --sealed: write the certificate to this file")
        ->needs(sealed);
    exit_command->add_flag("--yes", options->yes, "do not ask");
    commands.on(exit_command, [options](const Context& context) { return exit(context, *options); });

    auto* certificate_command =
        app.add_subcommand("certificate", "Show the erasure certificate of this node's own exit");
    auto out = std::make_shared<std::string>();
    certificate_command->add_option("-o,--output", *out,
                                    "write it to this file, as JSON, for unlearnctl verify");
    commands.on(certificate_command, [out](const Context& context) { return certificate(context, *out); });
}

}  // namespace unlearn::ctl
