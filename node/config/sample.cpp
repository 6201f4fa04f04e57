#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <sstream>

#include "node/config/node_config.hpp"
#include "node/learning/data/training_options.hpp"

namespace unlearn::config {
namespace {

/// Returns `text` as a TOML basic string.
std::string quoted(const std::string& text) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < ' ' || c == '\x7F') {
            out += std::string("\\u00") + kDigits[byte / 16] + kDigits[byte % 16];
            continue;
        }
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + "\"";
}

std::string list(const std::vector<std::string>& values) {
    std::string out = "[";
    for (const auto& value : values)
        out += (out.size() > 1 ? ", " : "") + quoted(value);
    return out + "]";
}

/// The keys of a network with a key, for members that are not listed.
std::string members(const std::string& policy) {
    std::string line = "members = " + quoted(policy);
    line.resize(30, ' ');
    return line +
           "# what a member that is not listed below exchanges: exits-only, or exchange for seeds, too\n"
           "members_limit = 64            # the most such members that exchange seeds\n"
           "endless_memberships = \"yes\"   # memberships without an end count\n\n";
}

/// Returns a TOML float with a point and no unnecessary digits.
std::string decimal(double value) {
    std::ostringstream out;
    out << value;
    return out.str() + (value == std::floor(value) ? ".0" : "");
}

/// The lines are commented out, because they show what happens without them.
std::string optimisation(const learning::OptimisationOptions& options) {
    std::ostringstream out;
    out << "# epochs = " << options.epochs << "\n# batch = " << options.batch
        << "\n# learning_rate = " << decimal(options.learning_rate) << '\n';
    return out.str();
}

// Starts a section whose defaults depend on the kind of model.
std::string section(std::string header, const std::string& model) {
    header.resize(30, ' ');
    return header + "# defaults for " + model + "; another kind of model has others\n";
}

std::string training(const SampleChoices& choices) {
    if (!choices.torchscript.empty()) return "";
    const auto main = learning::parse_architecture(choices.main_model);
    if (!main) return "[training]\n\n";
    const auto options = learning::default_training(*main).optimisation;
    return section("[training]", choices.main_model) + optimisation(options) +
           "# weight_decay = " + decimal(options.weight_decay) + "\n\n";
}

std::string distillation(const SampleChoices& choices) {
    const auto seed = learning::parse_architecture(choices.seed_model, learning::kSeedArchitectures);
    if (!seed) return "[distillation]\n\n";
    const auto options = learning::default_distillation(*seed);
    return section("[distillation]", choices.seed_model) + optimisation(options.optimisation) +
           "# temperature = " + decimal(options.temperature) + "\n\n";
}

/// Writes a key for files that can be read in two ways; commented out when nothing was chosen.
template <std::size_t N>
std::string csv_sign(const std::string& key, std::optional<char> chosen,
                     const std::array<std::string_view, N>& names, const std::array<char, N>& signs,
                     const std::string& shown, const std::string& comment) {
    const auto at = chosen ? std::find(signs.begin(), signs.end(), *chosen) : signs.end();
    const std::string name =
        at == signs.end() ? shown : std::string(names[static_cast<std::size_t>(at - signs.begin())]);
    std::string line = (at == signs.end() ? "# " : "") + key + " = " + quoted(name);
    line.resize(std::max<std::size_t>(line.size(), 30), ' ');
    return line + "# " + comment + "\n";
}

std::string csv_format(const learning::CsvFormat& format) {
    using namespace learning;
    return csv_sign("separator", format.separator, kSeparatorNames, kSeparators, ";",
                    "the field separator of a file that can be read in two ways: \",\" \";\" \"tab\" \"|\"") +
           csv_sign("decimal", format.decimal, kDecimalNames, kDecimals, ",",
                    "the decimal sign of such a file: \".\" or \",\"");
}

}  // namespace

std::string sample_config(const SampleChoices& choices) {
    std::ostringstream out;
    out << "# A node of unlearnd. A key that you leave out keeps the default shown here; a wrong one is an "
           "error that\n"
           "# names the line. Relative paths are relative to this file.\n\n"
        << "data_dir = " << quoted(choices.data_dir.string())
        << "               # identity and state; never copy it to a second device\n"
        << "control_socket = " << quoted(choices.control_socket.string()) << "  # unlearnctl talks to this\n";
    if (choices.listen.empty())
        out << "# listen = \"tcp://*:7411\"       # where peers can dial this node; without it, it only "
               "dials\n";
    else
        out << "listen = " << quoted(choices.listen) << "         # where peers can dial this node\n";
    out << "log_level = \"info\"            # debug, info, warning, error\n"
        << "log_entries = " << storage::kLogEntries
        << "          # unlearnctl log keeps so many; older ones are dropped\n\n"
        << "[network]                     # name or key; bound into the identity at init, and never "
           "changed\n";
    if (choices.network_key.empty())
        out << "name = " << quoted(choices.network_name) << '\n';
    else
        out << "key = " << quoted(choices.network_key) << '\n';
    out << "min_wire = 1                  # 2 refuses peers that only speak version 1, which cannot prove as "
           "much\n"
        << (choices.network_key.empty() ? "\n" : members(choices.members));
    const DataConfig& data = choices.data;
    out << "[data]                        # this node's private data; it never leaves the node\n";
    if (data.kind == DataKind::csv) {
        out << "kind = \"csv\"                  # or \"idx\" with images and labels, as of MNIST, gzipped or "
               "not\n"
            << "path = " << quoted(data.path.string()) << '\n'
            << "label = " << quoted(data.label) << "               # the column with the class\n"
            << csv_format(data.format);
    } else {
        out << "kind = \"idx\"                  # or \"csv\" with path and label\n"
            << "images = " << quoted(data.images.string()) << '\n'
            << "labels = " << quoted(data.labels.string()) << '\n';
    }
    out << "reference = " << quoted(data.reference.string())
        << "  # public examples, the same file at all nodes; needs no labels\n"
        << "classes = " << list(data.classes) << "  # of the whole network, in the same order at all nodes\n"
        << "validation = 0.1              # part of the data set aside to choose the weight of the peers\n"
        << "watch = \"yes\"                 # train and publish again when the data file changes\n\n"
        << "[model]\n";
    if (choices.torchscript.empty())
        out << "main = " << quoted(choices.main_model)
            << "              # linear, mlp:64x32, cnn:16x32+64, resnet:8x12+1; or torchscript = \"FILE\"\n";
    else
        out << "torchscript = " << quoted(choices.torchscript.string())
            << "  # your own model, trained elsewhere: [rows, channels, height, width] to logits\n";
    out << "seed = " << quoted(choices.seed_model)
        << "               # the small model that peers are sent; any of the same kinds\n"
        << (data.kind == DataKind::idx
                ? "# For images cnn:8x16 tells peers more than mlp:32, in a third of the bytes.\n\n"
                : "\n")
        << training(choices) << distillation(choices)
        << "[ensemble]\naggregation = \"known-classes\" # or hdus (as published), mean-probabilities, "
           "median\n"
        << "# rho = 0.5                   # weight of the peers; left out, it is chosen on the validation "
           "part\n"
        << "# calibrated = true           # match the confidence of each model to its accuracy on data "
           "here\n"
        << "# weighted = true             # give more weight to peers that predict the validation "
           "labels\n\n"
        << "[held_seeds]                  # room for the seeds of others; listed peers come first\n"
        << "largest_mib = 2               # the share of one owner: a larger seed is refused\n"
        << "total_mib = 128               # of all owners together: 64 shares\n\n"
        << "# One [[peers]] for each neighbour; more can be added while the node runs (unlearnctl peers "
           "add).\n"
        << "# [[peers]]\n# address = \"NODE-ID@tcp://host:7411\"\n"
        << "# [[peers]]\n# id = \"NODE-ID\"               # of a peer that only dials us\n";
    return out.str();
}

}  // namespace unlearn::config
