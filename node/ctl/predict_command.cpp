#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "node/ctl/command.hpp"
#include "node/ctl/csv_options.hpp"
#include "node/ctl/rows.hpp"
#include "node/ctl/table.hpp"

// The command that asks the node for predictions: predict.
namespace unlearn::ctl {
namespace {

using nlohmann::json;

struct PredictOptions {
    std::string file;
    std::string prior;
    std::string separator;
    std::string decimal;
    RowOptions rows;
};

/// The most rows in a request. For Fashion-MNIST this is about 300 kB of JSON.
constexpr std::size_t kRowsInRequest = 128;
/// The most numbers in a request with long rows: about 8 MB of JSON, half of what the daemon reads.
constexpr std::size_t kNumbersInRequest = 400'000;

std::size_t rows_in_request(const Rows& rows) {
    return std::clamp<std::size_t>(kNumbersInRequest / std::max<std::size_t>(1, rows.front().size()), 1,
                                   kRowsInRequest);
}

/// Reads the node's names for the columns of its tables.
void ask_columns(const json& status, RowOptions& options) {
    const auto data = status.find("data");
    if (data == status.end() || !data->is_object()) return;
    if (const auto label = data->find("label"); label != data->end() && label->is_string())
        options.label_of_node = label->get<std::string>();
    if (const auto columns = data->find("columns"); columns != data->end() && columns->is_array())
        options.columns = columns->get<std::vector<std::string>>();
}

std::string label_text(const json& label, const json& class_names) {
    if (label.is_number_unsigned() && class_names.is_array() &&
        label.get<std::size_t>() < class_names.size()) {
        const auto& name = class_names[label.get<std::size_t>()];
        if (name.is_string()) return printable(name.get<std::string>());
    }
    return label.is_string() ? printable(label.get<std::string>()) : label.dump();
}

std::string highest(const json& probabilities) {
    double most = 0;
    for (const auto& value : probabilities)
        most = std::max(most, value.get<double>());
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.3f", most);
    return text.data();
}

/// Appends the rows of one answer to the answers before it. The participants may change in between.
void merge(json& all, const json& answer) {
    for (const char* list : {"labels", "probabilities"})
        for (const auto& value : answer.at(list))
            all[list].push_back(value);
    all["class_names"] = answer.value("class_names", json::array());
    all["rho"] = answer.value("rho", json());
    for (const auto& participant : answer.value("participants", json::array()))
        if (std::find(all["participants"].begin(), all["participants"].end(), participant) ==
            all["participants"].end())
            all["participants"].push_back(participant);
}

void print_answer(const json& answer, std::ostream& out) {
    Table table({{"ROW", Align::right}, {"LABEL"}, {"PROBABILITY", Align::right}});
    const auto& labels = answer["labels"];
    for (std::size_t i = 0; i < labels.size(); ++i)
        table.add({std::to_string(i + 1), label_text(labels[i], answer["class_names"]),
                   highest(answer["probabilities"].at(i))});
    table.print(out);
    const auto seeds = answer["participants"].size();
    out << "\nby this node's main model and " << seeds << (seeds == 1 ? " seed" : " seeds") << " of peers";
    for (const auto& participant : answer["participants"])
        out << (&participant == &answer["participants"].front() ? ": " : ", ")
            << short_id(field(participant, "owner")) << " version " << field(participant, "version");
    out << '\n';
}

Outcome<ExitCode> predict(const Context& context, const PredictOptions& options) {
    constexpr std::chrono::minutes kSlowDevice{10};
    const auto daemon = context.daemon();
    if (!daemon) return tl::unexpected(daemon.error());
    const auto status = daemon->get("/v1/status");
    if (!status) return tl::unexpected(status.error());
    RowOptions row_options = options.rows;
    row_options.format = csv_format_of(options.separator, options.decimal);
    ask_columns(*status, row_options);
    const auto rows = read_rows(options.file, context.console.in, row_options);
    if (!rows) return tl::unexpected(rows.error());
    const std::size_t at_once = rows_in_request(*rows);
    const std::string target = options.prior.empty() ? "/v1/predict" : "/v1/predict?prior=" + options.prior;
    json all{{"labels", json::array()}, {"probabilities", json::array()}, {"participants", json::array()}};
    for (std::size_t from = 0; from < rows->size(); from += at_once) {
        const auto begin = rows->begin() + static_cast<std::ptrdiff_t>(from);
        const auto count = std::min(at_once, rows->size() - from);
        const Rows part(begin, begin + static_cast<std::ptrdiff_t>(count));
        const auto answer = daemon->post(target, json{{"inputs", part}}, kSlowDevice);
        if (!answer) return tl::unexpected(answer.error());
        merge(all, *answer);
    }
    if (context.json)
        context.show(all);
    else
        print_answer(all, context.console.out);
    return ExitCode::ok;
}

}  // namespace

void add_predict_command(CLI::App& app, Commands& commands) {
    auto* command = app.add_subcommand("predict", "Ask the node what some examples are");
    auto options = std::make_shared<PredictOptions>();
    command->add_option("FILE", options->file, "CSV or IDX images; - reads standard input")->required();
    command->add_option("--label", options->rows.label,
                        "CSV: the column with the class, to be left out (name, or number from 0)");
    add_csv_options(*command, options->separator, options->decimal);
    command
        ->add_option("--prior", options->prior,
                     "own: classes are as common as in this node's data; uniform: all are equally common")
        ->check(CLI::IsMember({"own", "uniform"}));
    commands.on(command, [options](const Context& context) { return predict(context, *options); });
}

}  // namespace unlearn::ctl
