#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/engine/held_seeds.hpp"
#include "protocol/engine/own_state.hpp"

namespace unlearn::protocol {

/// Owns the exits of others. A tombstone counts from the moment it arrives, durable or not. An exit is passed
/// on once its tombstone is durable. A receipt is signed once memory and disk hold nothing of the owner's
/// seed.
class PeerExits {
  public:
    PeerExits(EngineContext& context, Writes& writes, Peers& peers, Sessions& sessions, Erasures& erasures,
              HeldSeeds& held, OwnState& own_state)
        : context_(context),
          writes_(writes),
          peers_(peers),
          sessions_(sessions),
          erasures_(erasures),
          held_(held),
          own_state_(own_state) {}

    /// Names the neighbours that never vouch for anybody, because they may only leave.
    void leave_out(std::function<bool(const NodeId&)> may_only_leave) {
        may_only_leave_ = std::move(may_only_leave);
    }
    void load(LoadedState& state);
    /// Continues the erasures that a stop interrupted.
    void start();

    /// Takes an exit that was unknown so far. It need not be passed on to `heard_from`.
    void learn(const ExitNotice& notice, const SignedBytes& signed_notice, std::optional<NodeId> heard_from);
    /// Repeats our receipt, if it is signed and the owner itself asks. The first one may have been lost.
    void answer_again(const NodeId& owner, const NodeId& asked_by);
    /// Sends the notice, then the receipt, to an owner that says Hello although it left. It may be a copy or
    /// a lost device that does not know of the exit.
    void greet(SessionId id, Session& session);
    /// Takes the list of holders of an owner that has left. Two different lists of one owner are kept as
    /// proof that it signed both. A list without a known exit is ignored.
    void take_list(const HolderList& list, const SignedBytes& signed_list, const NodeId& heard_from);
    /// Stores the lists of owners whose seeds are erased here. The owner and its other holders wait for
    /// receipts, so this is done later.
    void store_lists();
    void on(const after_write::PeerListStored& stored);
    /// Continues the erasure as far as possible. Nothing happens for an owner that has not left.
    /// @return true when this completes the erasure of the owner's seed
    bool advance(const NodeId& owner);
    /// Both return the same as `advance`.
    bool on(const after_write::TombstoneStored& stored);
    bool on(const after_write::SeedErased& stored);

    /// Lets a former peer connect again, so that it can get its receipt and give us ours.
    /// @return whether the peer was a former one
    bool readmit(const NodeId& peer);

    [[nodiscard]] bool contains(const NodeId& owner) const { return exits_.contains(owner); }
    [[nodiscard]] bool contains(const ExitedId& owner) const { return exits_.contains(owner); }
    /// True when exactly this notice of the owner is known.
    [[nodiscard]] bool is_known(const NodeId& owner, const SignedBytes& notice) const;
    [[nodiscard]] std::size_t size() const { return exits_.size(); }
    [[nodiscard]] std::vector<NodeId> owners() const;
    /// The owners whose exit has become durable since the last call, those from disk included.
    [[nodiscard]] std::vector<ExitedId> take_new_durable() { return std::exchange(new_durable_, {}); }
    /// @return the notice of an owner whose exit is durable, or nullptr
    [[nodiscard]] const SignedBytes* durable_notice_of(const ExitedId& owner) const;
    /// @return the notice of an owner whose exit is known, durable or not, or nullptr
    [[nodiscard]] const SignedBytes* notice_of(const NodeId& owner) const;
    /// The lists of holders of an owner whose exit is durable.
    [[nodiscard]] const std::vector<SignedBytes>& lists_of(const ExitedId& owner) const;
    /// True when exactly this list of the owner is known.
    [[nodiscard]] bool is_known_list(const NodeId& owner, const SignedBytes& list) const;
    /// True while the seed of an owner that has left is still being erased.
    [[nodiscard]] bool is_erasing() const;
    /// True when a neighbour other than `peer` has not left and may do more than leave.
    [[nodiscard]] bool has_neighbour_besides(const NodeId& peer) const;

  private:
    struct PeerExit {
        SignedBytes notice;
        SeedVersion erased_version{};
        std::vector<SignedBytes> lists;  ///< of its holders: one, or two as proof that it signed both
        bool tombstone_durable = false;
        bool passed_on = false;
        bool erase_asked = false;
        bool erased = false;
        std::optional<NodeId> heard_from;
    };

    /// Finds an exit by bytes that need not be a node's id.
    struct ById {
        using is_transparent = void;
        static const auto& bytes_of(const NodeId& id) { return id.bytes(); }
        static const auto& bytes_of(const ExitedId& id) { return id.value; }
        bool operator()(const auto& a, const auto& b) const { return bytes_of(a) < bytes_of(b); }
    };

    bool advance(const NodeId& owner, PeerExit& exit);
    void pass_on(PeerExit& exit);
    void finish_erasure(const NodeId& owner);
    void send_receipt(const NodeId& owner, const PeerExit& exit);

    EngineContext& context_;
    Writes& writes_;
    Peers& peers_;
    Sessions& sessions_;
    Erasures& erasures_;
    HeldSeeds& held_;
    OwnState& own_state_;
    std::function<bool(const NodeId&)> may_only_leave_ = [](const NodeId&) { return false; };
    std::map<NodeId, PeerExit, ById> exits_;
    std::vector<ExitedId> new_durable_;
    std::vector<after_write::PeerListStored> lists_to_store_;
};

}  // namespace unlearn::protocol
