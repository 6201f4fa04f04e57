#include "sim/faults/fault_world.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <iomanip>
#include <string_view>
#include <utility>

#include "protocol/digest.hpp"
#include "topologies/generators.hpp"

namespace unlearn::sim::faults {

using namespace protocol;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kDegree = 4;
constexpr std::uint64_t kSeedKinds = 40;
/// In a world with a longer storm, everything is slower: keep-alives, comparisons, ticks.
constexpr double kLongHours = 2.0;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15;
    return hash ^ (hash >> 29);
}

}  // namespace

FaultWorld::FaultWorld(std::uint64_t seed, FaultOptions options)
    : seed_(seed),
      options_(options),
      random_(seed),
      network_(time_),
      network_id_(network_id_of({"fault-sim", {1}, {"a", "b"}, "none", {}})) {
    virtual_world::restart_sqlite_randomness();
    const bool is_long = options_.hours > kLongHours;
    const auto storm = std::chrono::seconds(static_cast<std::int64_t>(options_.hours * 3600));
    lease_time_ = std::max<std::chrono::seconds>(storm / 4, 60s);
    tick_ = is_long ? 1000ms : 200ms;
    if (random_.below(3) == 0) network_key_ = identity_of("network", 0);
    invariants_ =
        std::make_unique<Invariants>(Invariants::Settings{network_id_, lease_time_, 2 * tick_ + 1500ms,
                                                          options_.in_memory, network_key_.has_value()},
                                     time_, payloads_);
    network_.set_latency([this] { return between(1ms, 30ms); });
    network_.set_judge([this](const NodeId& from, const NodeId& to, const network::Frames& frames) {
        if (Machine* machine = machine_of(from)) invariants_->sends(*machine, to, frames);
        if (blocked_.contains({from, to})) struck("message lost in a cut");
        return fate_of(from, frames);
    });
    network_.set_inspector([this](const NodeId& from, const NodeId& to, network::Frames& frames) {
        Machine* machine = machine_of(to);
        if (machine == nullptr) return true;
        record(from);
        record(to);
        for (const auto& frame : frames)
            record(
                std::hash<std::string_view>{}({reinterpret_cast<const char*>(frame.data()), frame.size()}));
        if (!let_in(*machine, frames)) return false;
        invariants_->hears(*machine, from, frames);
        touched_ = machine;
        return true;
    });
    network_.set_blocked([this](const NodeId& from, const NodeId& to) {
        return blocked_.contains({from, to});
    });
    network_.set_awake([this](const NodeId& id) {
        const Machine* machine = machine_of(id);
        return machine != nullptr && machine->host() ? machine->host()->paused_until() : Duration{};
    });
    build_network();
}

FaultWorld::~FaultWorld() {
    for (auto& machine : machines_)
        machine->stop();
}

Identity FaultWorld::identity_of(std::string_view purpose, std::size_t number) const {
    const std::string text =
        std::string(purpose) + " " + std::to_string(seed_) + " " + std::to_string(number);
    return Identity::from_seed(digest_of(Bytes(text.begin(), text.end())).value);
}

std::optional<SignedBytes> FaultWorld::membership_of(const Identity& identity) const {
    if (!network_key_) return std::nullopt;
    return sign_membership(*network_key_, network_id_, Membership{identity.id()});
}

void FaultWorld::build_network() {
    const std::uint32_t degree = std::min(kDegree, options_.nodes - 1);
    auto graph = options_.nodes * degree % 2 == 0 && options_.nodes > degree + 1
                     ? topologies::random_regular(options_.nodes, degree, seed_)
                     : topologies::full(options_.nodes);
    const auto adjacency = graph.value().adjacency();
    for (std::uint32_t i = 0; i < options_.nodes; ++i) {
        machines_.push_back(
            std::make_unique<Machine>(i, time_, network_, identity_of("node", i), random_.next()));
        index_of_[machines_.back()->id()] = i;
    }
    for (std::uint32_t i = 0; i < options_.nodes; ++i) {
        // Some machines can only dial out.
        const bool hidden = i % 4 == 3 && std::all_of(adjacency[i].begin(), adjacency[i].end(), [&](auto n) {
                                return machines_[n]->endpoint.has_value() || n > i;
                            });
        const bool neighbour_hidden = std::any_of(adjacency[i].begin(), adjacency[i].end(),
                                                  [&](auto n) { return n < i && !machines_[n]->endpoint; });
        machines_[i]->membership = membership_of(machines_[i]->identity());
        if (!hidden || neighbour_hidden) machines_[i]->endpoint = virtual_world::endpoint_of(i);
    }
    for (std::uint32_t i = 0; i < options_.nodes; ++i)
        for (const auto neighbour : adjacency[i])
            machines_[i]->neighbours.push_back({machines_[neighbour]->id(), machines_[neighbour]->endpoint});
}

EngineConfig FaultWorld::config_of(const Machine& machine) const {
    EngineConfig config;
    config.network = network_id_;
    config.neighbours = machine.neighbours;
    config.reachable = machine.endpoint.has_value();
    if (network_key_) config.network_key = network_key_->id();
    config.membership = machine.membership;
    // In a fourth of the worlds, members that let themselves in exchange exits only.
    if (seed_ % 4 != 0) config.members.policy = MemberPolicy::exchange;
    config.lease_time = lease_time_;
    config.lease_renewal = std::max<std::chrono::seconds>(lease_time_ / 6, 2s);
    config.gate = gate_of(options_.broken);
    if (options_.hours > kLongHours) config.pace = {60s, 150s, 240s, 60s};
    return config;
}

Machine* FaultWorld::machine_of(const NodeId& id) {
    const auto found = index_of_.find(id);
    return found == index_of_.end() ? nullptr : machines_[found->second].get();
}

const Machine* FaultWorld::machine_of(const NodeId& id) const {
    return const_cast<FaultWorld*>(this)->machine_of(id);
}

// ---------------------------------------------------------------- machines

void FaultWorld::start(Machine& machine) {
    machine.started_at = time_.now();
    ++machine.starts;
    record(machine.id());
    record(machine.starts);
    tell(machine, "starts");
    auto boot = boot_of(machine);
    boot.node.engine.random_seed = random_.next() | 1;
    if (const auto up = machine.boot(std::move(boot)); !up) return not_started(machine, up.error());
    machine.node().start();
    if (!machine.engine().own_seed()) publish(machine);
}

virtual_world::VirtualMachine::Boot FaultWorld::boot_of(Machine& machine) {
    virtual_world::VirtualMachine::Boot boot;
    auto& options = boot.host;
    options.seed = random_.next();
    options.clock_error = machine.clock_error;
    options.write_latency = [this] { return between(200us, 4ms); };
    options.forgets = options_.in_memory;
    if (options_.broken != BrokenRule::none) {
        options.answers_before_durable = [rule = options_.broken](const auto& ops) {
            return answers_before_durable(rule, ops);
        };
        options.stored = [rule = options_.broken, &machine](auto ops) {
            return stored_by(rule, std::move(ops), [&](const NodeId& owner) {
                return machine.up() && machine.engine().has_tombstone(owner);
            });
        };
    }
    options.after_load = [this, &machine](LoadedState& state) {
        if (options_.broken == BrokenRule::forget_by_age)
            std::erase_if(state.tombstones, [&](const PutTombstone& tombstone) {
                const auto notice = verify_notice(network_id_, tombstone.notice);
                return notice && notice->made_at + 60s < machine.host()->now().wall;
            });
        invariants_->loaded(machine, state);
    };
    boot.node = {"state", storage::kLogEntries, config_of(machine), tick_};
    boot.endpoint = machine.endpoint;
    boot.make_seeds = [this, &machine](const std::shared_ptr<virtual_world::VirtualHost>& host) {
        auto holder = std::make_unique<virtual_world::SimulatedHolder>(
            host,
            virtual_world::SimulatedHolder::Hooks{[this, &machine](const NodeId& owner, ByteView payload) {
                                                      invariants_->offered(machine, owner, payload);
                                                      return runtime::SeedVerdict{};
                                                  },
                                                  [this, &machine](const NodeId& owner, SeedVersion version) {
                                                      record(owner);
                                                      record(static_cast<std::uint64_t>(version));
                                                      invariants_->installed(machine, owner, version);
                                                  },
                                                  [this] { return between(1ms, 200ms); }});
        machine.holder = holder.get();
        return holder;
    };
    boot.events = [this, &machine](const Event& event, auto) { on_event(machine, event); };
    return boot;
}

void FaultWorld::not_started(Machine& machine, const Error& error) {
    if (error.code == ErrorCode::retired) {
        machine.retired = true;
        invariants_->put_to_rest(machine);
        return;
    }
    const bool excused = machine.disk().crashed() || machine.disk().error_rate > 0.0 ||
                         machine.disk().capacity != std::numeric_limits<std::uint64_t>::max();
    if (!excused) invariants_->fail("starts-again", machine.name() + ": " + error.text());
    if (machine.disk().crashed()) {
        ++crashes_;
        struck("died while it started");
        machine.disk().restart(aftermath().power_lost);
    }
    time_.after(5s, [this, &machine] { come_back(machine); });
}

void FaultWorld::crash(Machine& machine, bool power_lost, Duration back_after) {
    if (!machine.up()) return;
    ++crashes_;
    struck(power_lost ? "power lost" : "process killed");
    record(0xDEAD);
    tell(machine, power_lost ? "loses power" : "crashes");
    machine.crash(power_lost);
    time_.after(back_after, [this, &machine] { come_back(machine); });
}

void FaultWorld::come_back(Machine& machine) {
    if (machine.up() || !machine.joined || machine.lost || machine.retired) return;
    before_start(machine);
    start(machine);
}

void FaultWorld::crash_at(Machine& machine, std::uint64_t operations, virtual_world::VirtualDisk::Crash how) {
    machine.disk().crash_at(operations, how);
    armed_.insert(machine.index);
}

void FaultWorld::after_event() {
    for (auto it = armed_.begin(); it != armed_.end();) {
        Machine& machine = *machines_[*it];
        if (!machine.disk().crashed()) {
            ++it;
            continue;
        }
        it = armed_.erase(it);
        struck("died during a write");
        const Aftermath after = aftermath();
        crash(machine, after.power_lost, after.back_after);
    }
    for (const std::size_t index : std::exchange(to_stop_, {})) {
        Machine& machine = *machines_[index];
        machine.retired = true;
        machine.stop();
        invariants_->check_erased(machine);
        if (!machine.disk().crashed()) continue;
        ++crashes_;
        machine.disk().restart(aftermath().power_lost);
    }
    // A task that is not a message and reports nothing does not show which machine it touched. Then the next
    // machine in turn is checked.
    if (touched_ == nullptr) touched_ = machines_[turn_++ % machines_.size()].get();
    invariants_->check_running(*std::exchange(touched_, nullptr));
}

void FaultWorld::on_event(Machine& machine, const Event& event) {
    touched_ = &machine;
    record(machine.id());
    record(static_cast<std::uint64_t>(event.kind));
    record(event.subject);
    tell(machine, std::string(protocol::name_of(event.kind)) + " " + name_of(event.subject) + " " +
                      std::to_string(static_cast<std::uint64_t>(event.version)) + " " + event.detail);
    invariants_->event(machine, event);
    if (event.kind == EventKind::store_failed && machine.disk().error_rate > 0.0)
        struck("write failed by an error");
    if (event.kind == EventKind::store_failed &&
        machine.disk().capacity != std::numeric_limits<std::uint64_t>::max())
        struck("write failed on a full disk");
    if (event.kind == EventKind::receipt_stored) ++machine.receipts;
    if (event.kind == EventKind::exit_complete) ++exits_;
    if (event.kind == EventKind::retired) to_stop_.insert(machine.index);
}

void FaultWorld::publish(Machine& machine) {
    if (!machine.up() || machine.leaving) return;
    // Most seeds are small; a few need more than one window.
    const auto kind = random_.below(kSeedKinds);
    const std::size_t bytes = kind == 0  ? kMaxWindowBytes + random_.below(kMaxWindowBytes)
                              : kind < 6 ? 20'000 + random_.below(60'000)
                                         : 200 + random_.below(3000);
    machine.node().publish("mlp:8", payloads_.make(machine.id(), bytes, random_));
}

void FaultWorld::begin_exit(Machine& machine) {
    if (!machine.up()) return;
    machine.leaving = true;
    tell(machine, "is told to leave");
    invariants_->exit_signed(machine.id());
    machine.node().begin_exit();
}

/// Does to a message what a node that breaks a rule does before it handles it. Returns false if the node
/// ignores the message.
bool FaultWorld::let_in(Machine& to, network::Frames& frames) {
    const bool is_exit = network::kind_number(frames) == static_cast<std::uint8_t>(Kind::exit);
    if (!is_exit || (options_.broken != BrokenRule::ignore_unknown_owners &&
                     options_.broken != BrokenRule::accept_unsigned_exit))
        return true;
    auto envelope = decode(frames);
    if (!envelope) return true;
    auto& notice = std::get<Exit>(envelope->message).notice;
    const auto valid = verify_notice(network_id_, notice);
    if (options_.broken == BrokenRule::ignore_unknown_owners)
        return !valid || valid->owner == to.id() ||
               std::any_of(to.neighbours.begin(), to.neighbours.end(),
                           [&](const Neighbour& neighbour) { return neighbour.id == valid->owner; });
    if (valid) return true;
    for (const auto& machine : machines_) {
        const auto id = machine->id().view();
        if (std::search(notice.bytes.begin(), notice.bytes.end(), id.begin(), id.end()) == notice.bytes.end())
            continue;
        notice =
            sign_notice(machine->identity(), network_id_, ExitNotice{machine->id(), {}, machine->membership});
        frames = encode(*envelope);
    }
    return true;
}

std::string FaultWorld::name_of(const NodeId& id) const {
    const auto found = index_of_.find(id);
    return found == index_of_.end() ? id.short_text() : "node-" + std::to_string(found->second);
}

void FaultWorld::tell(const Machine& machine, const std::string& what) {
    if (options_.log == nullptr) return;
    *options_.log << std::fixed << std::setprecision(3) << std::chrono::duration<double>(time_.now()).count()
                  << " node-" << machine.index << " " << what << "\n";
}

void FaultWorld::record(std::uint64_t value) {
    trace_ = mix(mix(trace_, value), static_cast<std::uint64_t>(time_.now().count()));
}

void FaultWorld::record(const NodeId& id) {
    std::uint64_t first = 0;
    std::memcpy(&first, id.bytes().data(), sizeof first);
    record(first);
}

// ---------------------------------------------------------------- the run

void FaultWorld::run_until(Duration end) {
    const auto goes_on = [this] { return options_.goes_on || !invariants_->violation(); };
    if (!goes_on()) return;
    time_.run_while(end, [&] {
        after_event();
        return goes_on();
    });
}

void FaultWorld::start_all() {
    for (auto& machine : machines_)
        time_.after(between(0s, 3s), [this, machine = machine.get()] { come_back(*machine); });
}

FaultResult FaultWorld::result() const {
    return {invariants_->violation(),
            invariants_->broken(),
            time_.tasks_run(),
            crashes_,
            exits_,
            attacks_,
            trace_,
            faults_,
            std::chrono::duration<double>(time_.now()).count()};
}

void FaultWorld::check_everybody() {
    for (const auto& machine : machines_) {
        invariants_->check_running(*machine);
        invariants_->check_memory(*machine);
        invariants_->check_disk(*machine);
    }
}

FaultWorld::Duration FaultWorld::between(Duration least, Duration most) {
    return least + Duration(static_cast<std::int64_t>(
                       random_.below(static_cast<std::uint64_t>((most - least).count()) + 1)));
}

}  // namespace unlearn::sim::faults
