#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every limit of the protocol has a name and stands here. wire.md explains them to other implementations.
namespace unlearn::protocol {

inline constexpr std::uint8_t kProtocolVersion = 1;

// Frames.
inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kMaxFrames = 3;
inline constexpr std::size_t kMaxBody = 16 * 1024;
inline constexpr std::size_t kMaxHelloBody = 1024;
inline constexpr std::size_t kMaxPayload = 64 * 1024;

// Seeds.
inline constexpr std::size_t kMinChunk = 16 * 1024;
inline constexpr std::size_t kMaxChunks = 256;
inline constexpr std::size_t kMaxSeedBytes = kMaxChunks * kMaxPayload;
inline constexpr std::size_t kMaxArchitectureText = 64;

// Chunks in flight to one peer: start with one chunk, never more than 256 KiB or 250 ms of the measured rate.
inline constexpr std::size_t kMaxWindowBytes = 256 * 1024;
inline constexpr std::chrono::milliseconds kMaxWindowTime{250};

// Timers.
inline constexpr std::chrono::milliseconds kTickInterval{100};
inline constexpr std::chrono::milliseconds kHelloRetry{1000};
inline constexpr std::chrono::milliseconds kPingAfterIdle{2000};
inline constexpr std::chrono::milliseconds kPeerDownAfter{8000};
inline constexpr std::chrono::milliseconds kFetchStall{3000};
inline constexpr std::chrono::milliseconds kExitRetryFirst{500};
inline constexpr std::chrono::milliseconds kExitRetryMost{60000};
inline constexpr std::chrono::milliseconds kStoreRetry{1000};
inline constexpr std::chrono::milliseconds kBlockFirst{5000};
inline constexpr std::chrono::milliseconds kBlockMost{600000};

// What one node keeps.
inline constexpr std::size_t kMaxSessions = 1024;
inline constexpr std::size_t kMaxBlockedKeys = 4096;
inline constexpr std::size_t kMaxWaitingGets = 16;

}  // namespace unlearn::protocol
