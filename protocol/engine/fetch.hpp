#pragma once

#include <chrono>
#include <optional>

#include "protocol/messages.hpp"
#include "protocol/records.hpp"

namespace unlearn::protocol {

using SteadyTime = std::chrono::microseconds;

/// The download of one version of one owner's seed, in order, with a window that starts at one chunk and
/// grows with the measured rate. Memory grows with the bytes received, not with the bytes announced.
class Fetch {
  public:
    Fetch(SeedRecord record, SignedBytes signed_record)
        : record_(std::move(record)), signed_(std::move(signed_record)) {}

    [[nodiscard]] const SeedRecord& record() const { return record_; }
    [[nodiscard]] const SignedBytes& signed_record() const { return signed_; }

    /// What to ask for now, if anything: called after every accepted chunk and at the start.
    [[nodiscard]] std::optional<Get> next_get(SteadyTime now);

    /// Takes one chunk. @return true when the seed is complete; an error when the chunk breaks the protocol.
    /// A chunk that came before, or that is not the next one, is ignored.
    [[nodiscard]] Result<bool> accept(const Chunk& chunk, SteadyTime now);

    /// Nothing arrived for kFetchStall although something was asked for.
    [[nodiscard]] bool stalled(SteadyTime now) const;
    /// Forgets what is in flight: after a stall or on a new connection, ask again from the first missing
    /// chunk.
    void restart();

    /// The complete payload. The fetch is empty afterwards.
    [[nodiscard]] SharedSeedBytes take_payload();

  private:
    [[nodiscard]] std::size_t window_bytes(SteadyTime now) const;

    SeedRecord record_;
    SignedBytes signed_;
    SeedBytes payload_;
    std::uint32_t received_ = 0;  ///< chunks
    std::uint32_t asked_ = 0;     ///< chunks asked for so far, at least `received_`
    std::size_t grown_window_ = 0;
    std::size_t bytes_since_start_ = 0;
    std::optional<SteadyTime> started_;
    SteadyTime last_progress_{};
};

}  // namespace unlearn::protocol
