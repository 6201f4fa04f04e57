#pragma once

#include <chrono>
#include <cstddef>

#include "protocol/limits.hpp"

/// Every limit of the transport. The limits of the protocol are in protocol/limits.hpp.
namespace unlearn::network {

// What one session may queue and hold.

/// The most bytes that wait in our own queue for one peer. A peer that reads so slowly that its queue fills
/// up is dropped.
inline constexpr std::size_t kMaxQueuedBytes = 4 * 1024 * 1024;
/// The most messages in libzmq's queue for one peer. With 1, an urgent message waits for at most one other
/// message.
inline constexpr int kSendHighWater = 1;
/// Bulk is handed to libzmq only while the bytes that TCP has not sent yet stay within this limit.
inline constexpr std::size_t kMaxBulkUnsent = 64 * 1024;
/// The kernel's send buffer of one connection: bytes that are not on the wire yet or not acknowledged.
inline constexpr int kKernelSendBuffer = 64 * 1024;
inline constexpr int kKernelReceiveBuffer = 128 * 1024;
/// The most received messages of one peer that wait in libzmq. Beyond that, TCP pushes back.
inline constexpr int kReceiveHighWater = 32;

/// CURVE adds this many bytes to every frame, and ZMQ_MAXMSGSIZE applies to the encrypted frame. The slack
/// lets a frame that is slightly too long reach us, so that we can name the peer.
inline constexpr std::size_t kCurveOverhead = 33;
inline constexpr std::size_t kFrameSlack = 1024;
inline constexpr std::size_t kMaxWireFrame = protocol::kMaxPayload + kCurveOverhead + kFrameSlack;

/// The most bytes that a connection may have received without giving us a complete message. ZMQ_MAXMSGSIZE
/// limits each frame only: with it set, a message that never ends grew a process to 524 MB.
inline constexpr std::size_t kMaxUndelivered = 4 * 1024 * 1024;
static_assert(kMaxUndelivered > (kReceiveHighWater + 2) * (protocol::kHeaderSize + protocol::kMaxBody +
                                                           protocol::kMaxPayload + 3 * kCurveOverhead) +
                                    2 * kKernelReceiveBuffer,
              "what may rightfully wait in libzmq and in the kernel must fit");

/// The same limit for a connection that has not brought a Hello from an allowed key yet. Otherwise one peer
/// could open many connections and fill our memory through each.
inline constexpr std::size_t kMaxUndeliveredStranger = 64 * 1024;
/// The most sessions of one key at a time. A peer needs one. After it lost a connection it needs a second one
/// until its new Hello has ended the old session.
inline constexpr std::size_t kMaxSessionsOfKey = 2;

/// The number of connections that an unknown key may make while it has a slot. A peer makes a lost connection
/// again, so it needs more than one.
inline constexpr std::size_t kMaxProvisionalConnections = 4;
/// The most unknown keys that are remembered as refused.
inline constexpr std::size_t kMaxRefusedKeys = 1024;

/// The most connections that one node accepts at once.
inline constexpr std::size_t kMaxConnections = 1024;
inline constexpr int kListenBacklog = 256;
inline constexpr int kMaxSockets = 65536;

// Limits of the pump.
inline constexpr int kDrainBatch = 64;  ///< messages received before the pump sends
inline constexpr int kFlushBatch = 64;  ///< messages sent to one peer before the next peer gets its turn
inline constexpr int kPumpRounds = 16;  ///< rounds before other work on the thread gets its turn

// Look-ups of host names, for all nodes of a process together.
inline constexpr std::size_t kMaxLookups = 8;
inline constexpr std::size_t kMaxFailedLookups = 4;  ///< of those, look-ups of names that failed last time
inline constexpr std::size_t kMaxRememberedNames = 1024;

// Times.
inline constexpr std::chrono::milliseconds kConnectTimeout{5000};
inline constexpr std::chrono::milliseconds kHandshakeTimeout{5000};
inline constexpr std::chrono::milliseconds kRedialFirst{100};
inline constexpr std::chrono::milliseconds kRedialMost{10000};
/// After a connection that lasted this long, the next redial starts at kRedialFirst again.
inline constexpr std::chrono::milliseconds kGoodConnection{5000};
/// A connection that has brought no message by then is ended. Where unknown keys are admitted, their time is
/// used instead.
inline constexpr std::chrono::milliseconds kFirstMessageTime{10000};
/// How often connections are checked while bytes arrive on them.
inline constexpr std::chrono::milliseconds kWatchInterval{25};
/// How often everything is checked without a signal. This finds lost wake-ups and connections whose bytes
/// libzmq reads at once.
inline constexpr std::chrono::milliseconds kSafetyInterval{1000};
inline constexpr std::chrono::milliseconds kCloseGrace{50};  ///< time to send what was queued before `close`
inline constexpr std::chrono::milliseconds kForgetSession{5000};  ///< how long late messages may still come
inline constexpr std::chrono::milliseconds kRetryFirst{1};  ///< first pause when libzmq or TCP takes no more
inline constexpr std::chrono::milliseconds kRetryMost{16};
inline constexpr std::chrono::milliseconds kStopFlush{250};
inline constexpr std::chrono::milliseconds kLinger{500};
inline constexpr std::chrono::milliseconds kUnackedTimeout{30000};  ///< TCP gives up when no ACK arrives
inline constexpr std::chrono::seconds kKeepAliveIdle{30};
inline constexpr std::chrono::seconds kKeepAliveInterval{10};
inline constexpr int kKeepAliveProbes{3};

}  // namespace unlearn::network
