#include "sim/baselines/participant.hpp"

#include <numeric>
#include <set>

#include <ATen/ATen.h>

namespace unlearn::sim::baselines {

Participant participant(std::string name, const learning::Dataset& data) {
    std::vector<std::size_t> rows(static_cast<std::size_t>(data.size()));
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return {std::move(name), data, std::move(rows)};
}

Result<void> check(const std::vector<Participant>& participants) {
    if (participants.empty()) return failed_with("there are no participants");
    std::set<std::string> names;
    for (const Participant& one : participants) {
        const auto refuse = [&](const char* why) { return failed_with(one.name + why); };
        if (!names.insert(one.name).second) return refuse(" takes part twice");
        if (one.rows.empty()) return refuse(" has no examples to train on");
        for (const std::size_t row : one.rows)
            if (row >= static_cast<std::size_t>(one.data.size()))
                return refuse(" has a row that its data lacks");
        if (!(one.data.shape() == participants[0].data.shape()) ||
            one.data.classes() != participants[0].data.classes())
            return refuse(" has inputs or classes of another kind than the first participant");
    }
    return {};
}

learning::Dataset union_of(const std::vector<Participant>& participants) {
    learning::LabelledData table;
    table.shape = participants.at(0).data.shape();
    // A Dataset keeps only the number of classes.
    table.class_names.resize(static_cast<std::size_t>(participants[0].data.classes()));
    const auto width = table.shape.size();
    for (const Participant& one : participants) {
        const auto* inputs = one.data.inputs().rows().data_ptr<float>();
        const auto* labels = one.data.labels().data_ptr<std::int64_t>();
        for (const std::size_t row : one.rows) {
            const auto* first = inputs + static_cast<std::int64_t>(row) * width;
            table.features.insert(table.features.end(), first, first + width);
            table.labels.push_back(labels[row]);
        }
    }
    table.count = table.labels.size();
    return learning::Dataset::from_table(table);
}

}  // namespace unlearn::sim::baselines
