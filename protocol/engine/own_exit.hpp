#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "protocol/engine/own_seed.hpp"
#include "protocol/engine/peer_exits.hpp"

namespace unlearn::protocol {

/// Owns our own exit, from its beginning to the retirement of this identity: first it is durable, then all
/// that we hold is erased, then the notice goes out until everybody who was served has signed a receipt.
class OwnExit {
  public:
    OwnExit(EngineContext& context, Writes& writes, Peers& peers, Sessions& sessions, Erasures& erasures,
            OwnSeed& own_seed, HeldSeeds& held, PeerExits& others)
        : context_(context),
          writes_(writes),
          peers_(peers),
          sessions_(sessions),
          erasures_(erasures),
          own_seed_(own_seed),
          held_(held),
          others_(others) {}

    void load(LoadedState& state);
    /// Takes up an exit again that a stop interrupted.
    void start();

    void begin();
    /// Our own notice came from `heard_from`: a copy of this identity has left, and so have we.
    void meet(const SignedBytes& notice, const NodeId& heard_from);
    void give_up();
    /// @return why the peer breaks the protocol
    [[nodiscard]] Result<void> take_receipt(const NodeId& from, const ReceiptMessage& message);
    /// Tells a peer that has come what it has to know of our exit.
    void send_notice_to(SessionId id, Session& session);
    void send_left_receipt_to(SessionId id, Session& session);
    /// Something of what we held was overwritten in memory.
    void continue_erasing();
    /// The seed of an owner that left before us was erased.
    void continue_retiring();
    void on(const after_write::ExitStored& stored);
    void on(const after_write::AllErased& stored);
    void on(const after_write::ReceiptStored& stored);
    void on(const after_write::RetirementStored& stored);
    void tick();

    [[nodiscard]] bool begun() const { return exit_.has_value(); }
    /// Our notice, once it may go out.
    [[nodiscard]] const SignedBytes* announced_notice() const;
    [[nodiscard]] ExitProgress progress() const;

  private:
    enum class Stage { storing, erasing, storing_erasure, announced };
    struct State {
        SignedBytes notice;
        Stage stage = Stage::storing;
        std::map<NodeId, SeedVersion> erasing;  ///< what we held when the exit began
        SteadyTime next_retry{};
        std::chrono::milliseconds backoff{};
        bool complete = false;
        bool given_up = false;
        bool met = false;
        bool retiring = false;
        std::optional<std::string> retires_for;  ///< why, once the seeds of those who left before are erased
    };

    void begin_with(SignedBytes notice, bool met);
    void erase_everything();
    void announce();
    void reach_former_recipients();
    void send_notice_where_due();
    void check_complete();
    [[nodiscard]] bool exit_outlives_us() const;
    void retire(std::string reason);

    EngineContext& context_;
    Writes& writes_;
    Peers& peers_;
    Sessions& sessions_;
    Erasures& erasures_;
    OwnSeed& own_seed_;
    HeldSeeds& held_;
    PeerExits& others_;
    std::optional<State> exit_;
    std::map<NodeId, SignedBytes> receipts_;       ///< durable, by holder
    std::set<NodeId> receipts_pending_;            ///< holders whose receipt is being stored
    std::map<NodeId, SignedBytes> left_receipts_;  ///< ours, for those whose seeds we erased as we left
};

}  // namespace unlearn::protocol
