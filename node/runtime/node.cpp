#include "node/runtime/node.hpp"

#include <utility>

#include "node/runtime/asio_host.hpp"
#include "protocol/limits.hpp"
#include "protocol/network_statements.hpp"
#include "protocol/records.hpp"

namespace unlearn::runtime {
namespace {

using namespace unlearn::protocol;

network::Priority priority_of(Lane lane) {
    switch (lane) {
        case Lane::urgent:
            return network::Priority::urgent;
        case Lane::normal:
            return network::Priority::normal;
        case Lane::bulk:
            return network::Priority::bulk;
    }
    return network::Priority::normal;
}

}  // namespace

Result<std::unique_ptr<Node>> Node::create(boost::asio::io_context& context, const Identity& identity,
                                           NodeOptions options, std::unique_ptr<network::Transport> transport,
                                           SeedHolder& seeds, EventSink events) {
    return create(make_asio_host(context), identity, std::move(options), std::move(transport), seeds,
                  std::move(events));
}

Result<std::unique_ptr<Node>> Node::create(std::shared_ptr<Host> host, const Identity& identity,
                                           NodeOptions options, std::unique_ptr<network::Transport> transport,
                                           SeedHolder& seeds, EventSink events) {
    auto opened =
        host->open_storage(options.directory, {identity.id(), options.engine.network}, options.log_entries);
    if (!opened) return tl::unexpected(opened.error());
    for (const auto& damaged : opened->damaged)
        events(Event{EventKind::seed_refused, damaged.owner.value_or(NodeId{}), {}, damaged.detail},
               std::chrono::steady_clock::now());
    if (opened->state.retired)
        return tl::unexpected(Error{ErrorCode::retired, "node " + identity.id().short_text() + " (" +
                                                            opened->state.retired->reason + ")"});
    if (options.engine.random_seed == 0) options.engine.random_seed = host->random_number();
    for (std::size_t i = 0; i < options.engine.start.value.size(); i += 8) {
        const std::uint64_t word = host->random_number();
        for (std::size_t byte = 0; byte < 8; ++byte)
            options.engine.start.value[i + byte] = static_cast<std::uint8_t>(word >> (8 * byte));
    }
    std::unique_ptr<Node> node(new Node(std::move(host), identity, std::move(options.engine), options.tick,
                                        std::move(*opened), std::move(transport), seeds, std::move(events)));
    if (auto bound = node->transport_->start(*node); !bound) return tl::unexpected(bound.error());
    return node;
}

Node::Node(std::shared_ptr<Host> host, const Identity& identity, EngineConfig config,
           std::chrono::milliseconds tick_interval, OpenedStorage opened,
           std::unique_ptr<network::Transport> transport, SeedHolder& seeds, EventSink events)
    : host_(std::move(host)),
      timer_(host_->make_timer()),
      transport_(std::move(transport)),
      seeds_(seeds),
      events_(std::move(events)),
      tick_interval_(tick_interval),
      engine_(identity, std::move(config), std::move(opened.state)),
      alive_(std::make_shared<Node*>(this)),
      storage_(std::move(opened.store)) {}

Node::~Node() {
    stop();
    *alive_ = nullptr;
}

void Node::add_neighbour(const Neighbour& neighbour, bool remember) {
    run(AddNeighbour{neighbour, remember && running_});
}

void Node::remove_neighbour(const NodeId& peer) {
    feed(RemoveNeighbour{peer});
}

void Node::start() {
    running_ = true;
    if (engine_.config().network_key) transport_->admit_provisionally(kMaxProvisionalPeers, kProvisionalTime);
    feed(Start{});
    tick();
}

void Node::stop() {
    if (!running_) return;
    feed(SayBye{});
    running_ = false;
    timer_->cancel();
    transport_->stop();
}

void Node::publish(std::string architecture, SharedSeedBytes payload) {
    feed(PublishSeed{std::move(architecture), std::move(payload)});
}

void Node::begin_exit() {
    feed(BeginExit{});
}

void Node::give_up_exit() {
    feed(GiveUpExit{});
}

void Node::claim_state() {
    feed(ClaimState{});
}

Result<void> Node::submit_notice(const SignedBytes& notice) {
    if (const auto valid = verify_notice(engine_.config().network, notice); !valid)
        return tl::unexpected(valid.error());
    feed(SubmitNotice{notice});
    return {};
}

namespace {

/// Why nothing that `key` signs counts now, if that is so.
Result<void> counts_now(const NetworkKeyStatus& network, const NodeId& key) {
    if (network.chain.empty()) return fail(ErrorCode::not_authorised, "this network has no key");
    if (!network.current)
        return fail(ErrorCode::not_authorised,
                    "no key of this network counts until one is chosen (unlearnctl network follow)");
    if (key != *network.current)
        return fail(
            ErrorCode::not_authorised,
            "signed by " + key.short_text() + ", and the network's key is " + network.current->short_text());
    return {};
}

}  // namespace

Result<void> Node::submit_network_statement(NetworkStatementKind kind, const SignedBytes& statement) {
    return kind == NetworkStatementKind::revocation ? submit_revocation(statement)
                                                    : submit_succession(statement);
}

Result<void> Node::submit_revocation(const SignedBytes& statement) {
    const auto revocation = verify_revocation(engine_.config().network, statement);
    if (!revocation) return tl::unexpected(revocation.error());
    if (engine_.is_expelled(revocation->member)) return {};
    if (auto counts = counts_now(engine_.network_key(), revocation->network_key); !counts) return counts;
    feed(SubmitNetworkStatement{NetworkStatementKind::revocation, statement});
    if (running_ && !engine_.is_expelled(revocation->member))
        return fail(ErrorCode::too_much, "so many members are expelled that no further revocation is kept");
    return {};
}

Result<void> Node::submit_succession(const SignedBytes& statement) {
    const auto succession = verify_succession(engine_.config().network, statement);
    if (!succession) return tl::unexpected(succession.error());
    if (engine_.network_key().chain.empty())
        return fail(ErrorCode::not_authorised, "this network has no key");
    feed(SubmitNetworkStatement{NetworkStatementKind::succession, statement});
    if (running_ && !engine_.knows_succession(succession->network_key, succession->next))
        return fail(ErrorCode::too_much,
                    "the succession to " + succession->next.text() +
                        " is not kept: its key is unknown here or has named too many others. "
                        "Run unlearnctl network follow with the next key, then submit it again");
    return {};
}

Result<void> Node::renew_membership(const SignedBytes& membership) {
    const auto terms = verify_term_membership(engine_.config().network, membership);
    if (!terms) return tl::unexpected(terms.error());
    if (terms->member != engine_.id())
        return fail(ErrorCode::bad_identity, "a membership of " + terms->member.short_text() +
                                                 ", and this is " + engine_.id().short_text());
    if (auto counts = counts_now(engine_.network_key(), terms->network_key); !counts) return counts;
    feed(RenewMembership{membership});
    return {};
}

void Node::follow_network_key(const NodeId& key) {
    feed(FollowNetworkKey{key});
}

void Node::judged(const NodeId& owner, SeedVersion version, std::optional<std::string> aside) {
    feed(SeedJudged{owner, version, std::move(aside)});
}

void Node::on_link_up(network::SessionId session, const NodeId& peer) {
    feed(LinkUp{session, peer});
}
void Node::on_link_down(network::SessionId session) {
    feed(LinkDown{session});
}
void Node::on_message(network::SessionId session, const CurvePublicKey& key, network::Frames frames) {
    feed(Received{session, key, std::move(frames)});
}
void Node::on_malformed(network::SessionId session, const CurvePublicKey& key, std::string reason) {
    feed(Malformed{session, key, std::move(reason)});
}

void Node::on_unresolved(const NodeId& peer, const std::string& problem) {
    if (running_)
        events_(Event{EventKind::peer_unresolved, peer, {}, problem}, std::chrono::steady_clock::now());
}

void Node::feed(const Input& input) {
    if (running_) run(input);
}

void Node::run(const Input& input) {
    for (auto& effect : engine_.step(input, host_->now()))
        carry_out(std::move(effect));
}

void Node::post(Host& host, const std::shared_ptr<Node*>& alive, Input input) {
    host.post([alive, input = std::move(input)] {
        if (*alive != nullptr) (*alive)->feed(input);
    });
}

void Node::tick() {
    timer_->set(tick_interval_, [alive = alive_] {
        if (*alive == nullptr || !(*alive)->running_) return;
        (*alive)->feed(Tick{});
        (*alive)->tick();
    });
}

void Node::carry_out(Effect effect) {
    struct Visitor {
        Node& node;

        void operator()(Dial& e) const { node.transport_->dial(e.peer); }
        void operator()(CloseSession& e) const { node.transport_->close(e.session); }
        void operator()(HangUp& e) const { node.transport_->hang_up(e.peer); }
        void operator()(Allow& e) const { node.transport_->allow(e.keys); }
        void operator()(Send& e) const {
            node.transport_->send(e.session, std::move(e.frames), priority_of(e.lane));
        }
        void operator()(Persist& e) const {
            const auto answer = [host = node.host_, alive = node.alive_,
                                 ticket = e.ticket](const Result<void>& result) {
                if (result) return post(*host, alive, Stored{ticket});
                const Error& error = result.error();
                post(*host, alive, StoreFailed{ticket, error.text(), error.code == ErrorCode::not_storable});
            };
            if (auto queued = node.storage_->submit(std::move(e.ops), answer); !queued) answer(queued);
        }
        void operator()(CheckSeed& e) const {
            node.seeds_.check(
                e.owner, e.version, e.architecture, std::move(e.payload),
                [host = node.host_, alive = node.alive_, owner = e.owner,
                 version = e.version](SeedVerdict verdict) {
                    post(*host, alive,
                         SeedChecked{owner, version, std::move(verdict.problem), std::move(verdict.aside)});
                });
        }
        void operator()(InstallSeed& e) const {
            if (node.engine_.may_use(e.owner, e.version)) node.seeds_.install(e.owner, e.version);
        }
        void operator()(SuspendSeed& e) const { node.seeds_.suspend(e.owner, e.version); }
        void operator()(DropSeed& e) const { node.seeds_.drop(e.owner); }
        void operator()(WipeSeed& e) const {
            node.seeds_.wipe(e.owner, [host = node.host_, alive = node.alive_, owner = e.owner] {
                post(*host, alive, SeedWiped{owner});
            });
        }
        void operator()(Event& e) const { node.events_(e, std::chrono::steady_clock::now()); }
    };
    std::visit(Visitor{*this}, effect);
}

}  // namespace unlearn::runtime
