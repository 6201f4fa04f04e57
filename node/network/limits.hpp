#pragma once

#include <chrono>
#include <cstddef>

#include "protocol/limits.hpp"

/// Every limit of the transport. Those of the protocol stand in protocol/limits.hpp.
namespace unlearn::network {

// What one session may queue and hold.

/// Bytes that wait in our own queue for one peer. A peer that reads so little is dropped.
inline constexpr std::size_t kMaxQueuedBytes = 4 * 1024 * 1024;
/// Messages in libzmq's queue for one peer. With one, a message that overtakes waits for one other at most.
inline constexpr int kSendHighWater = 1;
/// Bulk is handed to libzmq only while what TCP has not sent yet stays within this.
inline constexpr std::size_t kMaxBulkUnsent = 64 * 1024;
/// What one connection may have sent but not yet on the wire or acknowledged, in the kernel.
inline constexpr int kKernelSendBuffer = 64 * 1024;
inline constexpr int kKernelReceiveBuffer = 128 * 1024;
/// Received messages of one peer that wait in libzmq; then TCP pushes back.
inline constexpr int kReceiveHighWater = 32;

/// CURVE adds this to every frame, and ZMQ_MAXMSGSIZE looks at the encrypted frame. The slack lets a frame
/// that is just too long reach us, so that the peer can be named.
inline constexpr std::size_t kCurveOverhead = 33;
inline constexpr std::size_t kFrameSlack = 1024;
inline constexpr std::size_t kMaxWireFrame = protocol::kMaxPayload + kCurveOverhead + kFrameSlack;

/// Bytes that a connection may have received without giving us a complete message. ZMQ_MAXMSGSIZE is a limit
/// for each frame only: a message that never ends grew a process to 524 MB with it set.
inline constexpr std::size_t kMaxUndelivered = 4 * 1024 * 1024;
static_assert(kMaxUndelivered > (kReceiveHighWater + 2) * (protocol::kHeaderSize + protocol::kMaxBody +
                                                           protocol::kMaxPayload + 3 * kCurveOverhead) +
                                    2 * kKernelReceiveBuffer,
              "what may rightfully wait in libzmq and in the kernel must fit");

/// The same for a connection without a first message, which is a hello. Anybody on the list could otherwise
/// open many and fill our memory through each.
inline constexpr std::size_t kMaxUndeliveredStranger = 64 * 1024;
/// Sessions of one key at a time. A peer needs one, and a second one until its hello has ended the first,
/// which it lost.
inline constexpr std::size_t kMaxSessionsOfKey = 2;

/// Connections that an unknown key may make while it has a slot: a lost connection is made again.
inline constexpr std::size_t kMaxProvisionalConnections = 4;
/// Unknown keys that are refused for a while.
inline constexpr std::size_t kMaxRefusedKeys = 1024;

/// Connections that one node accepts at once.
inline constexpr std::size_t kMaxConnections = 1024;
inline constexpr int kListenBacklog = 256;
inline constexpr int kMaxSockets = 65536;

// Rounds of the pump.
inline constexpr int kDrainBatch = 64;  ///< messages received before looking at what is to be sent
inline constexpr int kFlushBatch = 64;  ///< messages sent to one peer before looking at the next
inline constexpr int kPumpRounds = 16;  ///< rounds before others on the same thread get their turn

// Look-ups of host names, of all nodes of a process together.
inline constexpr std::size_t kMaxLookups = 8;
inline constexpr std::size_t kMaxFailedLookups = 4;  ///< of those, for names whose last look-up failed
inline constexpr std::size_t kMaxRememberedNames = 1024;

// Times.
inline constexpr std::chrono::milliseconds kConnectTimeout{5000};
inline constexpr std::chrono::milliseconds kHandshakeTimeout{5000};
inline constexpr std::chrono::milliseconds kRedialFirst{100};
inline constexpr std::chrono::milliseconds kRedialMost{10000};
/// A connection that lasted this long counts as good: the next redial starts at kRedialFirst again.
inline constexpr std::chrono::milliseconds kGoodConnection{5000};
/// A connection that has brought no message by then is ended; where unknown keys are admitted, their time.
inline constexpr std::chrono::milliseconds kFirstMessageTime{10000};
/// How often connections are looked at while bytes arrive on them.
inline constexpr std::chrono::milliseconds kWatchInterval{25};
/// How often everything is looked at anyway: connections whose bytes libzmq reads at once, and lost wakes.
inline constexpr std::chrono::milliseconds kSafetyInterval{1000};
inline constexpr std::chrono::milliseconds kCloseGrace{50};       ///< for what was sent before `close`
inline constexpr std::chrono::milliseconds kForgetSession{5000};  ///< late messages of a lost connection
inline constexpr std::chrono::milliseconds kRetryFirst{1};        ///< when libzmq or TCP takes no more
inline constexpr std::chrono::milliseconds kRetryMost{16};
inline constexpr std::chrono::milliseconds kStopFlush{250};
inline constexpr std::chrono::milliseconds kLinger{500};
inline constexpr std::chrono::milliseconds kUnackedTimeout{30000};  ///< TCP gives up on a silent peer
inline constexpr std::chrono::seconds kKeepAliveIdle{30};
inline constexpr std::chrono::seconds kKeepAliveInterval{10};
inline constexpr int kKeepAliveProbes{3};

}  // namespace unlearn::network
