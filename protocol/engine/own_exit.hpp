#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "protocol/engine/own_seed.hpp"
#include "protocol/engine/peer_exits.hpp"

namespace unlearn::protocol {

/// Owns our own exit, from its beginning to the retirement of this identity. First the exit becomes durable.
/// Then the notice goes out until every peer that was served has signed a receipt, and everything that we
/// hold is erased meanwhile.
class OwnExit {
  public:
    OwnExit(EngineContext& context, Writes& writes, Peers& peers, Sessions& sessions, Erasures& erasures,
            OwnSeed& own_seed, HeldSeeds& held, PeerExits& others, OwnState& own_state)
        : context_(context),
          writes_(writes),
          peers_(peers),
          sessions_(sessions),
          erasures_(erasures),
          own_seed_(own_seed),
          held_(held),
          others_(others),
          own_state_(own_state) {}

    void load(LoadedState& state);
    /// Continues an exit that a stop interrupted.
    void start();

    /// Signs our notice and begins the exit. Nothing happens when it has begun already.
    void begin();
    /// Our own notice came from `heard_from`. A copy of this identity has left, so we leave, too.
    void meet(const SignedBytes& notice, const NodeId& heard_from);
    /// Retires without waiting for further receipts, once the exit is announced.
    void give_up();
    /// Stores a receipt for our seed. @return an error when the receipt breaks the protocol
    [[nodiscard]] Result<void> take_receipt(const Session& session, const ReceiptMessage& message);
    /// Another node has a list of our holders. If we did not sign that one, a copy of this identity did.
    void take_list(const SignedBytes& list, const NodeId& heard_from);
    /// Sends our notice in a new session, if it is announced and the peer has not signed a receipt, and the
    /// list of our holders.
    void send_notice_to(SessionId id, Session& session);
    /// Sends our `left` receipt in a new session, if we erased the seed of its peer.
    void send_left_receipt_to(SessionId id, Session& session);
    /// Continues our exit after a seed that we held was overwritten in memory.
    void continue_erasing();
    /// Continues our exit after the seed of an owner that left before us was erased.
    void continue_retiring();
    void on(const after_write::ExitStored& stored);
    void on(const after_write::AllErased& stored);
    void on(const after_write::HolderListStored& stored);
    void on(const after_write::ReceiptStored& stored);
    void on(const after_write::RetirementStored& stored);
    void tick();

    [[nodiscard]] bool begun() const { return exit_.has_value(); }
    /// @return our notice once it may go out, nullptr before that
    [[nodiscard]] const SignedBytes* announced_notice() const;
    [[nodiscard]] ExitProgress progress() const;

  private:
    enum class Stage { storing, erasing, storing_erasure, erased };
    struct State {
        SignedBytes notice;
        std::optional<SignedBytes> list;  ///< of our holders, once it is durable
        bool signing_list = false;        ///< the list is being stored
        bool rival_list = false;          ///< a copy of this identity has signed another list
        Stage stage = Stage::storing;
        std::map<NodeId, SeedVersion> erasing;  ///< what we held when the exit began
        SteadyTime announced_at{};
        SteadyTime next_retry{};
        std::chrono::milliseconds backoff{};
        bool complete = false;
        bool given_up = false;
        bool met = false;
        bool retiring = false;
        std::optional<std::string> retires_for;  ///< why, while seeds of owners that left before us remain
    };

    void begin_with(SignedBytes notice, bool met);
    void erase_everything();
    void announce();
    void finish_erasing();
    void reach_former_recipients();
    void send_notice_where_due();
    /// Signs the list of our holders once nobody can be added to it.
    void sign_list_when_due();
    [[nodiscard]] SignedBytes sign_list();
    void send_list();
    [[nodiscard]] SignedBytes left_receipt_for(const Session& session, const SignedBytes& stored) const;
    void check_complete();
    /// How much the receipt proves: whether its holder is done, and that nothing it was served is missing in
    /// it.
    [[nodiscard]] int worth_of(const NodeId& holder, const Receipt& receipt) const;
    /// True when the holder has signed that it erased our seed, or that it left, and it really has left.
    [[nodiscard]] bool is_done(const NodeId& holder, const Receipt& receipt) const;
    [[nodiscard]] bool is_done(const NodeId& holder) const;
    [[nodiscard]] bool exit_outlives_us() const;
    [[nodiscard]] bool may_sign_list() const;
    void retire_if_given_up();
    void retire_unsigned_when_due();
    void retire(std::string reason);

    EngineContext& context_;
    Writes& writes_;
    Peers& peers_;
    Sessions& sessions_;
    Erasures& erasures_;
    OwnSeed& own_seed_;
    HeldSeeds& held_;
    PeerExits& others_;
    OwnState& own_state_;
    std::optional<State> exit_;
    struct KeptReceipt {
        Receipt says;
        SignedBytes receipt;
    };
    std::map<NodeId, KeptReceipt> receipts_;       ///< durable receipts, by holder
    std::set<NodeId> receipts_pending_;            ///< holders whose receipt is being stored
    std::map<NodeId, SignedBytes> left_receipts_;  ///< our own, for owners whose seeds we erased as we left
};

}  // namespace unlearn::protocol
