#pragma once

#include <filesystem>

#include <toml++/toml.h>

#include "node/config/toml_reader.hpp"
#include "sim/experiments/study_settings.hpp"
#include "sim/scenario/scenario.hpp"

namespace unlearn::sim::experiments {

/// The sections of an experiment file that say what is done with its scenarios. They are not part of a
/// scenario.
inline constexpr const char* kStudySections[] = {"study", "poison", "churn", "links"};

/// Reads [study], [poison], [churn] and [links]. Relative paths start at the folder of `file`.
[[nodiscard]] StudySettings read_study(const toml::table& table, const std::filesystem::path& file,
                                       StudyKind& kind, const scenario::ScenarioOptions& options,
                                       config::Complaints& complaints);

}  // namespace unlearn::sim::experiments
