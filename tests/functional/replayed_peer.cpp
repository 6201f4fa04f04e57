#include "replayed_peer.hpp"

#include <array>
#include <chrono>
#include <cstring>

#include <doctest/doctest.h>

#include "node/config/binding.hpp"
#include "node/network/zmq_context.hpp"
#include "node/network/zmq_transport.hpp"
#include "node/storage/identity_file.hpp"
#include "node/storage/store.hpp"
#include "protocol/messages.hpp"
#include "protocol/records.hpp"

namespace unlearn::testing {

using namespace unlearn::protocol;
namespace fs = std::filesystem;

namespace {

/// Speaks the protocol by hand: hello, announcement, and then it listens.
class Announcer final : public network::TransportHandler {
  public:
    Announcer(asio::io_context& io, network::ZmqTransport& transport, Hello hello, Have have)
        : io_(io), transport_(transport), hello_(std::move(hello)), have_(std::move(have)) {}
    [[nodiscard]] Reaction reaction() const { return reaction_; }

    void on_link_up(network::SessionId session, const NodeId&) override { announce(session); }
    void on_link_down(network::SessionId) override {}
    void on_message(network::SessionId session, const CurvePublicKey&, network::Frames frames) override {
        // A session that the other side has dialled.
        if (session_ != session) announce(session);
        const auto message = decode(std::move(frames));
        REQUIRE(message.has_value());
        if (std::holds_alternative<Get>(message->message)) finish(Reaction::asked_for_seed);
        const auto* exit = std::get_if<Exit>(&message->message);
        if (exit == nullptr) return;
        const auto notice = verify_notice(hello_.network, exit->notice);
        if (notice && notice->owner == hello_.sender) finish(Reaction::shown_the_exit);
    }
    void on_malformed(network::SessionId, const CurvePublicKey&, std::string) override {}

  private:
    void announce(network::SessionId session) {
        session_ = session;
        transport_.send(session, encode({1, hello_}), network::Priority::urgent);
        transport_.send(session, encode({1, have_}), network::Priority::normal);
    }
    /// A moment longer: a wish for the seed would outweigh the notice.
    void finish(Reaction reaction) {
        if (reaction_ != Reaction::asked_for_seed) reaction_ = reaction;
        timer_.expires_after(std::chrono::milliseconds(500));
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) io_.stop();
        });
    }

    asio::io_context& io_;
    network::ZmqTransport& transport_;
    Hello hello_;
    Have have_;
    std::optional<network::SessionId> session_;  ///< the one we announced on
    Reaction reaction_ = Reaction::none;
    asio::steady_timer timer_{io_};
};

PutOwnSeed newest_seed(const fs::path& data_dir, const NodeId& self, const NetworkId& network) {
    const auto copy = data_dir.parent_path() / "stolen";
    fs::create_directories(copy);
    for (const char* file : {"state.db", "state.db-wal"})
        if (fs::exists(data_dir / "state" / file)) fs::copy(data_dir / "state" / file, copy / file);
    auto store = storage::Store::open(copy, {self, network});
    REQUIRE_MESSAGE(store.has_value(), store.error().text());
    const auto loaded = (*store)->load();
    REQUIRE(loaded.has_value());
    REQUIRE(loaded->state.own_seed.has_value());
    return std::move(*loaded->state.own_seed);
}

}  // namespace

ReplayedPeer::ReplayedPeer(const fs::path& data_dir)
    : identity_(storage::load_identity(data_dir / "identity").value()),
      network_(config::load_binding(data_dir / "binding.json").value().network),
      record_() {
    const auto seed = newest_seed(data_dir, identity_.id(), network_);
    record_ = seed.record;
    // safetensors: the length of the header, in 8 bytes, and the header.
    const auto payload = seed.payload->view();
    std::uint64_t header = 0;
    std::memcpy(&header, payload.data(), sizeof(header));
    weights_.assign(payload.begin() + static_cast<std::ptrdiff_t>(sizeof(header) + header), payload.end());
}

Reaction ReplayedPeer::announce_to(const std::string& address) const {
    return announce(std::nullopt, PeerAddress::from_text(address).value());
}

Reaction ReplayedPeer::announce_when_dialled(const std::string& holder, int port) const {
    return announce("tcp://127.0.0.1:" + std::to_string(port), {NodeId::from_text(holder).value(), ""});
}

Reaction ReplayedPeer::announce(const std::optional<std::string>& listen, const PeerAddress& to) const {
    const auto record = verify_record(identity_.id(), network_, record_);
    REQUIRE(record.has_value());
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    Hello hello;
    hello.network = network_;
    hello.sender = identity_.id();
    const Have have{record_,
                    sign_lease(identity_, network_,
                               {identity_.id(), record->version, 1'000'000, now + std::chrono::hours(1)})};

    asio::io_context io;
    const auto zmq = network::ZmqContext::create();
    REQUIRE(zmq.has_value());
    network::ZmqTransport transport(io, **zmq, identity_, listen);
    Announcer announcer(io, transport, hello, have);
    REQUIRE(transport.start(announcer).has_value());
    const std::array<CurvePublicKey, 1> allowed{to.id.curve_key()};
    if (listen)
        transport.allow(allowed);
    else
        transport.dial(to);
    // Who dials a device that was away looks for it every few seconds.
    io.run_for(std::chrono::seconds(30));
    transport.stop();
    return announcer.reaction();
}

}  // namespace unlearn::testing
