#include "sim/faults/hostile_peer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "sim/faults/key_twin.hpp"

namespace unlearn::sim::faults {

using namespace protocol;
using network::SessionId;

namespace {

constexpr WallTime kLongAgo{std::chrono::seconds{1'600'000'000}};
constexpr WallTime kNeverEnds{std::chrono::seconds{4'000'000'000}};
/// How many exits of unknown owners a peer sends in one storm. Mostly they are fewer than the limit, so that
/// all nodes must know them in the end. One peer in sixteen sends more, all at once.
constexpr unsigned kMostUnknown = 40;
constexpr unsigned kTooManyUnknown = 130;
constexpr std::uint64_t kPeersForOneFlood = 16;
static_assert(kMostUnknown < kMaxIntroductionsPerDay && kTooManyUnknown > kMaxIntroductionsPerDay);
/// More messages at once than a peer may send, and how many smaller floods there are for each such flood.
constexpr int kBeyondTheLimit = 12'000;
constexpr std::uint64_t kFloodsUnderTheLimit = 15;
static_assert(kBeyondTheLimit > kFrameBurst);

network::Priority priority_of(const Message& message) {
    return static_cast<network::Priority>(lane_of(kind_of(message)));
}

}  // namespace

HostilePeer::HostilePeer(World world, Identity identity, std::optional<SignedBytes> membership,
                         std::uint64_t seed)
    : world_(std::move(world)),
      identity_(std::move(identity)),
      membership_(std::move(membership)),
      random_(seed),
      floods_(random_.below(kPeersForOneFlood) == 0) {}

void HostilePeer::start(std::vector<PeerAddress> victims) {
    victims_ = std::move(victims);
    transport_ = std::make_unique<virtual_world::VirtualTransport>(world_.network, id(), std::nullopt);
    static_cast<void>(transport_->start(*this));
    std::vector<CurvePublicKey> keys;
    for (const auto& victim : victims_)
        keys.push_back(victim.id.curve_key());
    transport_->allow(keys);
    for (const auto& victim : victims_)
        transport_->dial(victim);
}

void HostilePeer::stop() {
    if (transport_) transport_->stop();
    sessions_.clear();
}

void HostilePeer::on_link_up(SessionId session, const NodeId& peer) {
    sessions_[session].peer = peer;
    Hello hello;
    hello.network = world_.network_id;
    hello.sender = id();
    hello.membership = membership_;
    // Now and then it uses another node's name.
    if (random_.below(8) == 0) hello.sender = any_honest().id();
    say(session, hello);
    if (!exited_) offer(session, version_, false);
}

void HostilePeer::on_message(SessionId session, const CurvePublicKey&, network::Frames frames) {
    auto envelope = decode(std::move(frames));
    if (!envelope || !sessions_.contains(session)) return;
    if (const auto* ping = std::get_if<Ping>(&envelope->message)) return say(session, Pong{ping->token});
    if (const auto* query = std::get_if<ExitQuery>(&envelope->message))
        return answer_endlessly(session, *query);
    const auto* get = std::get_if<Get>(&envelope->message);
    if (get == nullptr) return;
    const auto seed = seeds_.find(static_cast<std::uint64_t>(get->version));
    if (seed == seeds_.end()) return;
    const auto& payload = seed->second[random_.below(2)];
    const auto bytes = payload->view();
    const std::size_t size = kMinChunk;
    for (std::uint32_t i = get->first; i < get->first + std::min<std::uint32_t>(get->count, 4); ++i) {
        if (i * size >= bytes.size()) return;
        const auto part = bytes.subspan(i * size, std::min(size, bytes.size() - i * size));
        say(session, Chunk{get->version, i, Bytes(part.begin(), part.end())});
    }
}

/// Claims exits in every range, so that a search would never end. It never says that it knows of no exit of
/// somebody, because whoever believes a neighbour that lies about that is deceived.
void HostilePeer::answer_endlessly(SessionId session, const ExitQuery& query) {
    if (random_.below(8) == 0) return;
    ++attacks_["endless exits"];
    ExitAnswer answer{query.number, random_.next(), {{static_cast<std::uint8_t>(random_.next())}}, {}};
    for (const auto& range : query.ranges) {
        if (range.digits == kIdDigits)
            answer.ranges.push_back({{range.first}, 0, {}});
        else
            answer.ranges.push_back({{}, 0xffff, std::vector<RangeFingerprint>(kRangeParts, {{1}})});
    }
    // Sometimes it does not answer what was asked.
    if (random_.below(64) == 0) answer.ranges.push_back({});
    say(session, std::move(answer));
}

void HostilePeer::say(SessionId session, Message message) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return;
    const auto lane = static_cast<std::size_t>(lane_of(kind_of(message)));
    const auto priority = priority_of(message);
    transport_->send(session, encode({++found->second.sequence[lane], std::move(message)}), priority);
}

void HostilePeer::say_raw(SessionId session, network::Frames frames) {
    transport_->send(session, std::move(frames), network::Priority::normal);
}

void HostilePeer::offer(SessionId session, std::uint64_t version, bool other_record) {
    auto& seeds = seeds_[version];
    for (auto& seed : seeds)
        if (!seed) seed = world_.payloads.make(id(), 200 + random_.below(2000), random_);
    const auto record =
        describe_seed(id(), SeedVersion{version}, "mlp:8", seeds[other_record ? 1 : 0]->view(), kLongAgo);
    if (!record) return;
    const Lease lease{id(), SeedVersion{version}, ++lease_number_, kNeverEnds};
    say(session, Have{sign_record(identity_, world_.network_id, *record),
                      sign_lease(identity_, world_.network_id, lease)});
}

SessionId HostilePeer::any_session() {
    if (sessions_.empty()) return 0;
    auto it = sessions_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random_.below(sessions_.size())));
    return it->first;
}

const Identity& HostilePeer::any_honest() {
    return *world_.honest[random_.below(world_.honest.size())];
}

Bytes HostilePeer::noise(std::size_t most) {
    Bytes bytes(random_.below(most) + 1);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random_.next());
    return bytes;
}

// ---------------------------------------------------------------- attacks

void HostilePeer::attack() {
    // A dropped connection is dialled again, as by any stubborn client.
    for (const auto& victim : victims_)
        transport_->dial(victim);
    const SessionId session = any_session();
    if (session == 0) return;
    static const std::vector<Attack> kAttacks{
        {"forged exit", [](HostilePeer& self, SessionId id) { self.forge_exit(id); }},
        {"exit of another network", [](HostilePeer& self, SessionId id) { self.exit_of_other_network(id); }},
        {"exit of a key twin", [](HostilePeer& self, SessionId id) { self.exit_of_twin(id); }},
        {"two records of one version",
         [](HostilePeer& self, SessionId id) { self.offer(id, self.version_, true); }},
        {"one version after the other",
         [](HostilePeer& self, SessionId id) { self.offer(id, ++self.version_, false); }},
        {"unsolicited chunk",
         [](HostilePeer& self, SessionId id) {
             self.say(id, Chunk{SeedVersion{self.version_}, static_cast<std::uint32_t>(self.random_.below(4)),
                                self.noise(kMinChunk)});
         }},
        {"hoarded lease", [](HostilePeer& self, SessionId id) { self.hoarded_lease(id); }},
        {"flood of unknown owners", [](HostilePeer& self, SessionId id) { self.flood_of_unknown(id); }},
        {"flood of queries", [](HostilePeer& self, SessionId id) { self.flood_of_queries(id); }},
        {"flood of small frames", [](HostilePeer& self, SessionId id) { self.small_frames(id); }},
        {"record in another's name", [](HostilePeer& self, SessionId id) { self.forge_seed(id); }},
        {"hello in another's name", [](HostilePeer& self, SessionId id) { self.say_hello_as_other(id); }},
        {"noise",
         [](HostilePeer& self, SessionId id) {
             self.say_raw(id, {self.noise(kHeaderSize), self.noise(200)});
         }},
        {"frame too many",
         [](HostilePeer& self, SessionId id) {
             network::Frames frames = encode({1, Ping{1}});
             frames.push_back(self.noise(1000));
             self.say_raw(id, std::move(frames));
         }},
        {"replay", [](HostilePeer& self, SessionId id) { self.replay(id); }},
        {"replay", [](HostilePeer& self, SessionId id) { self.replay(id); }},
    };
    const Attack& chosen = kAttacks[random_.below(kAttacks.size())];
    ++attacks_[chosen.name];
    chosen.run(*this, session);
}

void HostilePeer::replay(SessionId session) {
    if (auto message = world_.overheard()) say(session, std::move(*message));
}

/// Uses another node's name in its own session.
void HostilePeer::say_hello_as_other(SessionId session) {
    Hello hello;
    hello.network = world_.network_id;
    hello.sender = any_honest().id();
    say(session, hello);
}

/// Offers a seed that names another node as its owner, signed as well as it can.
void HostilePeer::forge_seed(SessionId session) {
    const NodeId& owner = any_honest().id();
    const auto payload = world_.payloads.make(id(), 500, random_);
    const auto record = describe_seed(owner, SeedVersion{1000}, "mlp:8", payload->view(), kLongAgo);
    if (!record) return;
    const Lease lease{owner, SeedVersion{1000}, 1000, kNeverEnds};
    say(session, Have{sign_record(identity_, world_.network_id, *record),
                      sign_lease(identity_, world_.network_id, lease)});
}

void HostilePeer::forge_exit(SessionId session) {
    const ExitNotice notice{any_honest().id(), kLongAgo, std::nullopt};
    say(session, Exit{sign_notice(identity_, world_.network_id, notice)});
}

void HostilePeer::exit_of_other_network(SessionId session) {
    NetworkId other = world_.network_id;
    other.value[0] ^= 1;
    const Identity& owner = any_honest();
    say(session, Exit{sign_notice(owner, other, ExitNotice{owner.id(), kLongAgo, std::nullopt})});
}

/// Sends an exit truly signed by the second identity of its key. In a network without a key, where exits of
/// strangers are accepted, only the rule for NodeIds stops it.
void HostilePeer::exit_of_twin(SessionId session) {
    const KeyTwin twin(identity_);
    auto notice = sign_notice(identity_, world_.network_id, ExitNotice{id(), kLongAgo, std::nullopt});
    notice.bytes = twin.renamed(std::move(notice.bytes));
    notice.signature = twin.sign(SigningPurpose::exit_notice, world_.network_id, notice.bytes);
    say(session, Exit{std::move(notice)});
}

void HostilePeer::flood_of_unknown(SessionId session) {
    const unsigned most = floods_ ? kTooManyUnknown : kMostUnknown;
    const unsigned end = floods_ ? most : std::min(most, unknown_ + 10);
    for (; unknown_ < end; ++unknown_) {
        Identity::SecretSeed seed{};
        for (auto& byte : seed)
            byte = static_cast<std::uint8_t>(random_.next());
        const auto stranger = Identity::from_seed(seed);
        world_.exit_signed(stranger.id());
        say(session, Exit{sign_notice(stranger, world_.network_id,
                                      ExitNotice{stranger.id(), kLongAgo, std::nullopt})});
    }
}

void HostilePeer::flood_of_queries(SessionId session) {
    ExitQuery query;
    for (std::uint8_t i = 0; i < kMaxRangesAsked; ++i)
        query.ranges.push_back(IdRange::around(ExitedId{{i}}, 2));
    query.wanted.push_back(ExitedId{any_honest().id().bytes()});
    for (query.number = 0; query.number < 20; ++query.number)
        say(session, query);
}

/// Makes leases in advance and uses them after the exit.
void HostilePeer::hoarded_lease(SessionId session) {
    if (hoard_.empty())
        for (int i = 0; i < 5; ++i)
            hoard_.push_back(
                sign_lease(identity_, world_.network_id,
                           Lease{id(), SeedVersion{version_},
                                 lease_number_ + 1000 + static_cast<std::uint64_t>(i), kNeverEnds}));
    if (!exited_ && random_.below(3) == 0) {
        exited_ = true;
        world_.exit_signed(id());
        return say(session,
                   Exit{sign_notice(identity_, world_.network_id, ExitNotice{id(), kLongAgo, membership_})});
    }
    if (!seeds_.contains(version_)) return offer(session, version_, false);
    const auto record =
        describe_seed(id(), SeedVersion{version_}, "mlp:8", seeds_[version_][0]->view(), kLongAgo);
    if (!record) return;
    say(session,
        Have{sign_record(identity_, world_.network_id, *record), hoard_[random_.below(hoard_.size())]});
}

void HostilePeer::small_frames(SessionId session) {
    const int count = random_.below(kFloodsUnderTheLimit + 1) == 0 ? kBeyondTheLimit : 200;
    for (int i = 0; i < count; ++i)
        say(session, Ping{random_.next()});
}

}  // namespace unlearn::sim::faults
