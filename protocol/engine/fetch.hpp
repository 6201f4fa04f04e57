#pragma once

#include <chrono>
#include <optional>

#include "protocol/messages.hpp"
#include "protocol/records.hpp"

namespace unlearn::protocol {

/// A time on the boot-time clock, see `Now`.
using SteadyTime = std::chrono::microseconds;

/// The download of one version of one owner's seed. Chunks come in order, in a window that starts at one
/// chunk and grows with the measured rate. Memory grows with what was received, not with what
/// was announced.
class Fetch {
  public:
    Fetch(SeedRecord record, SignedBytes signed_record)
        : record_(std::move(record)), signed_(std::move(signed_record)) {}

    [[nodiscard]] const SeedRecord& record() const { return record_; }
    [[nodiscard]] const SignedBytes& signed_record() const { return signed_; }

    /// Returns what to ask for now, if anything. Call it at the start and after every accepted chunk.
    [[nodiscard]] std::optional<Get> next_get(SteadyTime now);

    /// Takes one chunk. A chunk that came before, or that is not the next one, is ignored.
    /// @return true when the seed is complete, or an error when the chunk breaks the protocol
    [[nodiscard]] Result<bool> accept(const Chunk& chunk, SteadyTime now);

    /// True when chunks were asked for and none has arrived for kFetchStall.
    [[nodiscard]] bool stalled(SteadyTime now) const;
    /// Forgets what is in flight, after a stall or on a new connection. The next request starts at the first
    /// missing chunk.
    void restart();

    /// Returns the complete payload. The fetch is empty afterwards.
    [[nodiscard]] SharedSeedBytes take_payload();

  private:
    [[nodiscard]] std::size_t window_bytes(SteadyTime now) const;

    SeedRecord record_;
    SignedBytes signed_;
    SeedBytes payload_;
    std::uint32_t received_ = 0;  ///< chunks received so far
    std::uint32_t asked_ = 0;     ///< chunks asked for so far, at least `received_`
    std::size_t grown_window_ = 0;
    std::size_t bytes_since_start_ = 0;
    std::optional<SteadyTime> started_;
    SteadyTime last_progress_{};
};

}  // namespace unlearn::protocol
