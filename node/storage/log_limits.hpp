#pragma once

#include <cstdint>

/// How long the log of events may become. An entry takes some 190 bytes of the database.
namespace unlearn::storage {

/// The most entries that are kept, where `log_entries` in node.toml does not say otherwise: years of a node
/// with a dozen neighbours, and some 20 MB.
inline constexpr std::uint64_t kLogEntries = 100'000;
/// What `log_entries` may be.
inline constexpr std::uint64_t kLeastLogEntries = 1'000;
inline constexpr std::uint64_t kMostLogEntries = 100'000'000;
/// The most entries that one transaction drops, so that none becomes slow or large.
inline constexpr std::uint64_t kLogDroppedAtOnce = 1'000;

}  // namespace unlearn::storage
