#pragma once

#include <vector>

#include "protocol/engine.hpp"
#include "protocol/engine/comparison/exit_comparison.hpp"
#include "protocol/engine/expulsions.hpp"
#include "protocol/engine/members.hpp"
#include "protocol/engine/network_gossip.hpp"

namespace unlearn::protocol {

/// Owns the parts of an engine, and itself only the time of the next lease check. It passes every input to
/// the parts that it concerns, in a fixed order.
class Engine::Router {
  public:
    Router(const Identity& identity, EngineConfig config, LoadedState state);

    [[nodiscard]] std::vector<Effect> step(const Input& input, Now now);

    EngineContext context;
    Writes writes{context, [this](const AfterWrite& then) { return is_wanted(then); }};
    Peers peers{context};
    Sessions sessions{context, peers};
    NetworkKey network_key{context, writes};
    Members members{context,
                    writes,
                    peers,
                    network_key,
                    [this](const NodeId& owner) { return is_gone(owner); },
                    [this](const NodeId& owner) { return expulsions.contains(owner); }};
    OwnSeed own_seed{context, writes, sessions,
                     [this](const NodeId& peer) { return members.exchanges(peer); }};
    OwnState own_state{context, writes, sessions};
    Erasures erasures{context};
    HeldSeeds held;
    PeerExits exits{context, writes, peers, sessions, erasures, held, own_state};
    Expulsions expulsions{context, writes, network_key, erasures, held, exits};
    NetworkGossip gossip{context, sessions, network_key, expulsions};
    OwnExit own_exit{context, writes, peers, sessions, erasures, own_seed, held, exits, own_state};
    ExitComparison comparison{context, peers, sessions, erasures, own_seed, held, exits, own_exit, own_state};

  private:
    void on(const Start&);
    void on(const Tick&);
    void on(const AddNeighbour& add);
    void on(const RemoveNeighbour& remove);
    void on(const LinkUp& link) { sessions.on(link); }
    void on(const LinkDown& link) { sessions.remove(link.session); }
    void on(const Received& received);
    void on(const Malformed& bad);
    void on(const Stored& done);
    void on(const StoreFailed& failed);
    void on(const SeedChecked& checked) { held.on(checked); }
    void on(const SeedJudged& judged) { held.on(judged); }
    void on(const SeedWiped& wiped);
    void on(const PublishSeed& publish) { own_seed.publish(publish); }
    void on(const BeginExit&) { own_exit.begin(); }
    void on(const GiveUpExit&) { own_exit.give_up(); }
    void on(const SubmitNotice& submit);
    void on(const ClaimState&);
    void on(const SubmitNetworkStatement& submit);
    void on(const RenewMembership& renew);
    void on(const FollowNetworkKey& follow);
    void on(const SayBye&) { sessions.say_bye_to_all(); }

    void take_hello(const Received& received, std::uint64_t sequence, const Hello& hello);
    void take_nack(SessionId id, Session& session, const Nack& nack);
    /// True when the sender of a Hello may connect. It may be a member, or come to deliver its exit only.
    [[nodiscard]] bool may_connect(const Hello& hello);
    [[nodiscard]] bool may_come_to_leave(const Hello& hello) const;
    [[nodiscard]] Result<void> take_network_statement(const NetworkStatement& statement);
    [[nodiscard]] bool is_known(const NodeId& owner) const;
    [[nodiscard]] bool introduces(const NodeId& peer, const ExitNotice& notice);
    [[nodiscard]] Result<void> take_exit(const Session& session, const Exit& exit);
    [[nodiscard]] Result<void> take_state(SessionId id, Session& session, const StateMessage& state);
    [[nodiscard]] Result<void> take_holders(const Session& session, const Holders& holders);
    /// Passes on a message other than Hello and Nack that came in an established session.
    /// @return an error when the message breaks the protocol
    [[nodiscard]] Result<void> take(SessionId id, Session& session, Message message);
    void establish(SessionId id, Session& session);
    void follow(const AfterWrite& then);
    void know_peer(const NodeId& peer, std::optional<std::string> endpoint, PeerSource source);
    void tick_each_second();
    [[nodiscard]] std::size_t members_that_stay() const;
    /// True for an owner that has left or is expelled.
    [[nodiscard]] bool is_gone(const NodeId& owner) const {
        return exits.contains(owner) || expulsions.contains(owner);
    }
    /// Gives out the places of those that exchange seeds anew, and acts on what has changed.
    void give_out_places();
    /// Erases the seed of an owner that stays, but exchanges nothing with us any more.
    void erase_seed_of(const NodeId& owner);
    void erase_seeds_without_place();
    void use_newest_membership(const LoadedState& state);
    [[nodiscard]] AdmissionFacts facts_of(const NodeId& owner) const;
    /// False for a seed that must not be written any more: its owner or we have left while the disk failed.
    [[nodiscard]] bool is_wanted(const AfterWrite& then) const;

    SteadyTime next_second_{};
};

}  // namespace unlearn::protocol
