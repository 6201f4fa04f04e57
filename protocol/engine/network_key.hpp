#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocol/engine/context.hpp"
#include "protocol/engine/writes.hpp"
#include "protocol/network_statements.hpp"

namespace unlearn::protocol {

/// Owns the keys of a network with a key: the first one, which the network's id is made of, and the
/// successions from one key to the next. It says which key counts now and which memberships are genuine.
///
/// Which key counts follows from the successions that are known and from the operator's choice, and never
/// from the order in which successions came. Where one key named two successors and the operator has not
/// chosen, no key counts, so that a thief of the key gains nothing by signing one, too.
class NetworkKey {
  public:
    NetworkKey(EngineContext& context, Writes& writes) : context_(context), writes_(writes) {}

    void load(const LoadedState& state);

    /// True in a network with a key.
    [[nodiscard]] bool exists() const { return context_.config.network_key.has_value(); }
    /// The key whose new statements count. Nothing in a network without a key, and while it is undecided.
    [[nodiscard]] std::optional<NodeId> current() const;
    /// True when no key counts, because successions conflict or because the one that leads to the followed
    /// key is not known yet.
    [[nodiscard]] bool is_undecided() const { return undecided_; }
    /// The first key and those that followed it, as far as it is decided.
    [[nodiscard]] const std::vector<NodeId>& chain() const { return chain_; }
    [[nodiscard]] const std::optional<NodeId>& followed() const { return followed_; }

    /// True when it is known that `key` named `next`. Another statement that says the same is not news, so
    /// that nobody can make any number of them.
    [[nodiscard]] bool knows(const NodeId& key, const NodeId& next) const;
    /// Takes a succession. @return whether it is new here, or an error when it breaks the protocol
    [[nodiscard]] Result<bool> take(const SignedBytes& succession);
    /// The operator decides that the network's keys lead to `key`.
    void follow(const NodeId& key);

    /// What a genuine membership of `member` says: one that a key of the chain has signed.
    [[nodiscard]] std::optional<MembershipTerms> terms_of(const NodeId& member,
                                                          const std::optional<SignedBytes>& membership) const;
    /// The end of all memberships that `key` signed, if a successor has ended them.
    [[nodiscard]] std::optional<WallTime> end_of_memberships_by(const NodeId& key) const;

    /// All successions that are known, in the order of their bytes.
    [[nodiscard]] std::vector<SignedBytes> successions() const;

  private:
    struct Known {
        Succession succession;
        SignedBytes signed_bytes;
    };

    /// Finds the chain anew.
    void decide();
    /// The keys on the way from the first key to the followed one. Empty when there is no such way.
    [[nodiscard]] std::set<NodeId> way_to_followed() const;
    /// True for the first key and for those that a known succession names.
    [[nodiscard]] bool is_named(const NodeId& key) const;
    /// How many successions lead from the first key to each key that a known one names.
    [[nodiscard]] std::map<NodeId, std::size_t> distances() const;
    /// Makes room for a succession of `key`, if need be by forgetting one that is farther from the first key:
    /// the thief of one key could make any number of further ones. @return false when there is none
    bool make_room(const NodeId& key);
    /// Keeps a new succession that was checked. @return false when there are enough
    bool keep(const Succession& succession, const SignedBytes& signed_bytes);

    EngineContext& context_;
    Writes& writes_;
    std::multimap<NodeId, Known> successions_;  ///< by the key that is replaced
    std::optional<NodeId> followed_;
    std::vector<NodeId> chain_;
    std::map<NodeId, WallTime> ends_;  ///< of the memberships of the chain's replaced keys
    bool undecided_ = false;
};

}  // namespace unlearn::protocol
