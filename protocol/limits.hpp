#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// The limits of the protocol, by name. wire.md explains them to other implementations.
namespace unlearn::protocol {

// Versions of the wire format. Two nodes speak the newest one that both of them know.
inline constexpr std::uint8_t kOldestVersion = 1;
inline constexpr std::uint8_t kNewestVersion = 2;

// Frames.
inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kMaxFrames = 3;
inline constexpr std::size_t kMaxBody = 16 * 1024;
inline constexpr std::size_t kMaxHelloBody = 1024;
inline constexpr std::size_t kMaxPayload = 64 * 1024;

inline constexpr std::size_t kMaxMembership = 256;
inline constexpr std::size_t kMaxStatement = 256;  // the bytes of a statement of a node's state

// What a network's key signs.
inline constexpr std::size_t kMaxNetworkStatement = 256;
inline constexpr std::size_t kMaxRevocations = 10'000;
inline constexpr std::size_t kMaxSuccessions = 64;
inline constexpr std::size_t kMaxSuccessionsOfOneKey = 4;

// Seeds.
inline constexpr std::size_t kMinChunk = 16 * 1024;
inline constexpr std::size_t kMaxChunks = 256;
inline constexpr std::size_t kMaxSeedBytes = kMaxChunks * kMaxPayload;
inline constexpr std::size_t kMaxArchitectureText = 64;
inline constexpr std::uint64_t kVersionsSkippedByRestore = 1'000'000;

// Chunks in flight from one peer: the window starts with one chunk and never exceeds 256 KiB or 250 ms of the
// measured rate.
inline constexpr std::size_t kMaxWindowBytes = 256 * 1024;
inline constexpr std::chrono::milliseconds kMaxWindowTime{250};

// The number of unknown keys that may be connected at the same time to show their membership.
inline constexpr std::size_t kMaxProvisionalPeers = 32;

// Timers.
inline constexpr std::chrono::milliseconds kTickInterval{100};
inline constexpr std::chrono::milliseconds kHelloRetry{1000};
inline constexpr std::chrono::milliseconds kDialCheck{10000};
inline constexpr std::chrono::milliseconds kPingAfterIdle{2000};
inline constexpr std::chrono::milliseconds kPeerSuspectAfter{5000};
inline constexpr std::chrono::milliseconds kPeerDownAfter{8000};
inline constexpr std::chrono::milliseconds kFetchStall{3000};
inline constexpr std::chrono::milliseconds kExitRetryFirst{500};
inline constexpr std::chrono::milliseconds kExitRetryMost{60000};
inline constexpr std::chrono::milliseconds kStoreRetryFirst{1000};
inline constexpr std::chrono::milliseconds kStoreRetryMost{60000};
inline constexpr std::chrono::milliseconds kTellOfDiskFirst{60000};
inline constexpr std::chrono::milliseconds kTellOfDiskMost{3600000};
inline constexpr std::chrono::milliseconds kProvisionalTime{5000};
inline constexpr std::chrono::milliseconds kBlockFirst{5000};
inline constexpr std::chrono::milliseconds kBlockMost{600000};

// A new connection of a node ends its old one. When kReplacementsOfCopies live connections are replaced
// within kReplacementsWithin, two processes use one identity. Reports of this are kTellOfCopiesEvery apart.
inline constexpr std::uint32_t kReplacementsOfCopies = 4;
inline constexpr std::chrono::milliseconds kReplacementsWithin{60000};
inline constexpr std::chrono::milliseconds kTellOfCopiesEvery{600000};

// Leases. A holder also counts the time on its boot-time clock, so that a wrong wall clock prolongs no lease.
inline constexpr std::chrono::hours kLeaseTime{24};
inline constexpr std::chrono::hours kLeaseRenewal{1};

// The comparison of the exits that two neighbours know.
inline constexpr std::size_t kExitBuckets = 64;
inline constexpr std::size_t kMaxDeltaIds = 480;
inline constexpr std::size_t kMaxNoticesPerComparison = 1000;
inline constexpr std::chrono::milliseconds kCompareInterval{5000};
inline constexpr std::chrono::milliseconds kCompareAtMostEvery{500};

// The bytes of ids and notices that one peer of version 1 is sent, at once and in the long run. Its session
// would end when 4 MiB wait for it.
inline constexpr double kDeltaByteBurst = 1024.0 * 1024;
inline constexpr double kDeltaBytesPerSecond = 4096;
/// More ids than this in one comparison of version 1 are neither sent nor kept, and it stays without result.
inline constexpr std::size_t kMaxDeltaIdsKept = 100'000;
/// A node with many exits answers a comparison of version 1 less often: by this much for each exit.
inline constexpr std::chrono::microseconds kCompareTimePerExit{5};

// The comparison in version 2. A query and its answer fit into one body each.
inline constexpr std::size_t kMaxListedIds = 8;
inline constexpr std::size_t kMaxRangesAsked = 60;
inline constexpr std::size_t kMaxNoticesAsked = 32;
inline constexpr std::size_t kMaxListBytes = 32 * 1024;  // of lists of holders, beside the notices
// One comparison of ours. What is beyond these limits is found by a later one.
inline constexpr std::size_t kMaxOpenRanges = 8'192;
inline constexpr std::size_t kMaxWalkRounds = 8'192;
inline constexpr std::size_t kMaxStrangersNoted = 256;
inline constexpr std::chrono::milliseconds kCompareStall{10000};
// All comparisons with one peer, in ranges and notices, of which each has some 260 bytes at most. A node
// stays below what its peer answers. Each new exit gives back what finding it may have cost. Strangers are
// looked for only while half of the burst is left, so that known owners can always be asked about.
inline constexpr double kExitQuestionBurst = 32'768;
inline constexpr double kExitQuestionsPerSecond = 800;
inline constexpr double kExitAnswerBurst = 65'536;
inline constexpr double kExitAnswersPerSecond = 1'000;
inline constexpr double kBytesPerExitAnswer = 512;  ///< what is sent as notices counts by its bytes, too
inline constexpr double kExitSearchBurst = 16'384;
inline constexpr double kExitSearchesPerSecond = 8;
inline constexpr double kExitSearchPerNewExit = 16;

// In a network without a key, one peer may introduce kMaxIntroductionsPerDay exits of unknown owners at once,
// and as many a day in the long run. An exit that is put off comes with a later comparison. Tombstones are
// never dropped. A node with kMaxTombstones of them, which need some 4 GB of memory, takes no seeds of
// further owners.
inline constexpr std::uint32_t kMaxIntroductionsPerDay = 100;
inline constexpr std::size_t kMaxTombstones = 10'000'000;

// How much one peer may send: a burst at once, and a rate in the long run.
inline constexpr double kFrameBurst = 10'000;
inline constexpr double kFramesPerSecond = 1'000;
inline constexpr double kByteBurst = 64.0 * 1024 * 1024;
inline constexpr double kBytesPerSecond = 8.0 * 1024 * 1024;
inline constexpr double kHelloBurst = 100;
inline constexpr double kHellosPerSecond = 5;
inline constexpr double kChunkRequestBurst = 4'096;
inline constexpr double kChunkRequestsPerSecond = 512;

// What one neighbour may make us write to disk. Flash memory wears out with each write, so new versions of a
// seed are limited by number and by bytes. Each version counts with its payload and with
// kSeedWriteOverhead for the rest of its transaction. Four seeds of the largest size may come at once, and in
// the long run 64 MiB a day from each neighbour: 1,024 tiny versions, 640 of 36 KiB, or four of 16 MiB.
inline constexpr double kNewSeedBurst = 32;
inline constexpr double kNewSeedsPerSecond = 1.0 / 60;
inline constexpr std::size_t kSeedWriteOverhead = 64 * 1024;
inline constexpr double kSeedWriteBurst = 4.0 * static_cast<double>(kMaxSeedBytes + kSeedWriteOverhead);
inline constexpr double kSeedWriteBytesPerDay = 64.0 * 1024 * 1024;
// Leases of a held seed that are stored: a burst, and a rate in the long run of four in the time after which
// an honest owner renews its lease once. Further leases count, but the disk keeps an older one.
inline constexpr double kLeaseWriteBurst = 32;
inline constexpr double kLeaseWritesPerRenewal = 4;

// How much one node keeps.
inline constexpr std::size_t kMaxSessions = 1024;
inline constexpr std::size_t kMaxBlockedKeys = 4096;
inline constexpr std::size_t kMaxWaitingGets = 16;
inline constexpr std::size_t kMaxEquivocationsKept = 16;
inline constexpr std::size_t kMaxMembersFromHello = 4096;
inline constexpr std::size_t kMaxStartsKept = 1024;  // of a node's own
inline constexpr std::size_t kMaxMembersThatExchange = 64;

}  // namespace unlearn::protocol
