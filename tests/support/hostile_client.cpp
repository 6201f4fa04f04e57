#include "tests/support/hostile_client.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

namespace unlearn::testing {

using protocol::Bytes;
using protocol::ByteView;

namespace {

using Key = std::array<std::uint8_t, 32>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMac = crypto_box_MACBYTES;
constexpr std::uint8_t kLongFrame = 0x02;
constexpr std::size_t kLongestShort = 255;

struct KeyPair {
    Key open{};
    Key secret{};
    KeyPair() { crypto_box_keypair(open.data(), secret.data()); }
};

void append(Bytes& out, ByteView more) {
    out.insert(out.end(), more.begin(), more.end());
}
void append(Bytes& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}
void append_number(Bytes& out, std::uint64_t number, std::size_t bytes) {
    for (std::size_t i = bytes; i-- > 0;)
        out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

Bytes nonce_of(std::string_view prefix, std::uint64_t counter) {
    Bytes out;
    append(out, prefix);
    append_number(out, counter, 8);
    return out;
}

Bytes box(ByteView plain, const Bytes& nonce, const std::uint8_t* to, const std::uint8_t* secret) {
    Bytes out(plain.size() + kMac);
    REQUIRE(crypto_box_easy(out.data(), plain.data(), plain.size(), nonce.data(), to, secret) == 0);
    return out;
}

Bytes command(ByteView body) {
    Bytes out = frame_header(kCommandFrame, body.size());
    append(out, body);
    return out;
}

Bytes hello_of(const KeyPair& temporary, const std::uint8_t* server) {
    Bytes body;
    append(body, "\x05HELLO");
    body.insert(body.end(), {1, 0});
    body.resize(body.size() + 72);
    append(body, ByteView(temporary.open));
    append_number(body, 1, 8);
    const Bytes zeros(64);
    append(body, box(zeros, nonce_of("CurveZMQHELLO---", 1), server, temporary.secret.data()));
    return command(body);
}

void append_property(Bytes& out, std::string_view name, std::string_view value) {
    out.push_back(static_cast<std::uint8_t>(name.size()));
    append(out, name);
    append_number(out, value.size(), 4);
    append(out, value);
}

}  // namespace

// ------------------------------------------------------------ plain

PlainSocket::PlainSocket(int port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(descriptor_ >= 0);
    const timeval patience{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Refused or not is what the following calls will show.
    static_cast<void>(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
}

PlainSocket::~PlainSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

PlainSocket::PlainSocket(PlainSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

bool PlainSocket::send(ByteView bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
}

bool PlainSocket::send(std::string_view bytes) {
    return send(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::optional<Bytes> PlainSocket::receive(std::size_t count) {
    Bytes out(count);
    std::size_t have = 0;
    const auto end = Clock::now() + std::chrono::seconds(2);
    while (have < count) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd item{descriptor_, POLLIN, 0};
        if (left <= 0 || ::poll(&item, 1, static_cast<int>(left)) <= 0) return std::nullopt;
        const auto got = ::recv(descriptor_, out.data() + have, count - have, 0);
        if (got <= 0) return std::nullopt;
        have += static_cast<std::size_t>(got);
    }
    return out;
}

bool PlainSocket::closes_within(std::chrono::milliseconds time) {
    const auto end = Clock::now() + time;
    std::array<std::uint8_t, 4096> thrown_away{};
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd item{descriptor_, POLLIN, 0};
        if (::poll(&item, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) <= 0) return false;
        if (::recv(descriptor_, thrown_away.data(), thrown_away.size(), 0) <= 0) return true;
    }
}

Bytes greeting(std::string_view mechanism, std::uint8_t version) {
    Bytes out{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, version, 1};
    append(out, mechanism);
    out.resize(64);
    return out;
}

Bytes frame_header(std::uint8_t flags, std::uint64_t length) {
    const bool is_long = length > kLongestShort;
    Bytes out{static_cast<std::uint8_t>(flags | (is_long ? kLongFrame : 0))};
    append_number(out, length, is_long ? 8 : 1);
    return out;
}

Bytes curve_hello(const protocol::CurvePublicKey& server) {
    return hello_of(KeyPair(), server.value.data());
}

// ------------------------------------------------------------ CURVE by hand

CurveClient::CurveClient(int port, const protocol::NodeId& server, const protocol::Identity& own,
                         const std::string& routing_id)
    : socket_(port) {
    connected_ = shake_hands(server, own, routing_id);
}

bool CurveClient::shake_hands(const protocol::NodeId& server, const protocol::Identity& own,
                              const std::string& routing_id) {
    const auto server_key = server.curve_key();
    const KeyPair temporary;
    if (!socket_.send(greeting()) || !socket_.receive(64)) return false;
    if (!socket_.send(hello_of(temporary, server_key.value.data()))) return false;

    constexpr std::size_t kWelcome = 168;
    const auto welcome = socket_.receive(2 + kWelcome);
    if (!welcome || (*welcome)[1] != kWelcome) return false;
    Bytes nonce;
    append(nonce, "WELCOME-");
    append(nonce, ByteView(*welcome).subspan(10, 16));
    std::array<std::uint8_t, 128> opened{};  // the server's temporary key and a cookie
    if (crypto_box_open_easy(opened.data(), welcome->data() + 26, 144, nonce.data(), server_key.value.data(),
                             temporary.secret.data()) != 0)
        return false;
    const std::uint8_t* server_temporary = opened.data();

    auto own_secret = own.curve_secret_key();
    Bytes vouched;
    append(vouched, ByteView(temporary.open));
    append(vouched, server_key.view());
    Bytes vouch_nonce(16);
    randombytes_buf(vouch_nonce.data(), vouch_nonce.size());
    Bytes long_nonce;
    append(long_nonce, "VOUCH---");
    append(long_nonce, vouch_nonce);
    Bytes inner;
    append(inner, own.id().curve_key().view());
    append(inner, vouch_nonce);
    append(inner, box(vouched, long_nonce, server_temporary, own_secret.data()));
    append_property(inner, "Socket-Type", "DEALER");
    append_property(inner, "Identity", routing_id);

    Bytes initiate;
    append(initiate, "\x08INITIATE");
    append(initiate, ByteView(opened).subspan(32, 96));
    append_number(initiate, 2, 8);
    append(initiate, box(inner, nonce_of("CurveZMQINITIATE", 2), server_temporary, temporary.secret.data()));
    nonce_ = 2;
    if (!socket_.send(command(initiate))) return false;
    if (crypto_box_beforenm(session_key_.data(), server_temporary, temporary.secret.data()) != 0)
        return false;

    const auto head = socket_.receive(2);
    if (!head) return false;
    const auto answer = socket_.receive((*head)[1]);
    return answer && answer->size() > 6 && std::string(answer->begin() + 1, answer->begin() + 6) == "READY";
}

Bytes CurveClient::boxed(ByteView content, bool more) {
    Bytes plain{static_cast<std::uint8_t>(more ? 1 : 0)};
    append(plain, content);
    Bytes body;
    append(body, "\x07MESSAGE");
    append_number(body, ++nonce_, 8);
    const auto at = body.size();
    body.resize(at + plain.size() + kMac);
    crypto_box_easy_afternm(body.data() + at, plain.data(), plain.size(),
                            nonce_of("CurveZMQMESSAGEC", nonce_).data(), session_key_.data());
    Bytes out = frame_header(0, body.size());
    append(out, body);
    return out;
}

bool CurveClient::send_frame(ByteView content, bool more) {
    return socket_.send(boxed(content, more));
}

bool CurveClient::send_frames_without_end(std::size_t count, std::size_t size) {
    const Bytes content(size);
    Bytes out;
    for (std::size_t i = 0; i < count; ++i)
        append(out, boxed(content, true));
    return socket_.send(out);
}

bool CurveClient::say(const protocol::Message& message) {
    // One count for all lanes is strictly rising in each of them.
    const auto frames = protocol::encode({++sequence_, message});
    for (std::size_t i = 0; i < frames.size(); ++i)
        if (!send_frame(frames[i], i + 1 < frames.size())) return false;
    return true;
}

std::optional<protocol::Message> CurveClient::hear() {
    protocol::Frames frames;
    for (bool more = true; more;) {
        const auto flags = socket_.receive(1);
        if (!flags) return std::nullopt;
        const auto head = socket_.receive(((*flags)[0] & kLongFrame) != 0 ? 8 : 1);
        if (!head) return std::nullopt;
        std::size_t length = 0;
        for (const auto byte : *head)
            length = length << 8U | byte;
        const auto body = socket_.receive(length);
        if (!body || length < 16 + kMac + 1) return std::nullopt;
        Bytes nonce;
        append(nonce, "CurveZMQMESSAGES");
        append(nonce, ByteView(*body).subspan(8, 8));
        Bytes plain(length - 16 - kMac);
        if (crypto_box_open_easy_afternm(plain.data(), body->data() + 16, length - 16, nonce.data(),
                                         session_key_.data()) != 0)
            return std::nullopt;
        more = (plain[0] & 1) != 0;
        frames.emplace_back(plain.begin() + 1, plain.end());
    }
    auto decoded = protocol::decode(std::move(frames));
    return decoded ? std::optional(std::move(decoded->message)) : std::nullopt;
}

// ------------------------------------------------------------ libzmq

ZmqClient::ZmqClient(int port, const protocol::CurvePublicKey& server, const protocol::Identity& own)
    : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_DEALER)) {
    const auto secret = own.curve_secret_key();
    const auto key = own.id().curve_key();
    zmq_setsockopt(socket_, ZMQ_CURVE_SECRETKEY, secret.data(), secret.size());
    zmq_setsockopt(socket_, ZMQ_CURVE_PUBLICKEY, key.value.data(), key.value.size());
    zmq_setsockopt(socket_, ZMQ_CURVE_SERVERKEY, server.value.data(), server.value.size());
    const int zero = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(socket_, ZMQ_SNDHWM, &zero, sizeof(zero));
    REQUIRE(zmq_connect(socket_, ("tcp://127.0.0.1:" + std::to_string(port)).c_str()) == 0);
}

ZmqClient::~ZmqClient() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
}

void ZmqClient::send(ByteView part, bool more) {
    REQUIRE(zmq_send(socket_, part.data(), part.size(), more ? ZMQ_SNDMORE : 0) >= 0);
}

void ZmqClient::say(const protocol::Message& message) {
    const auto frames = protocol::encode({++sequence_, message});
    for (std::size_t i = 0; i < frames.size(); ++i)
        send(frames[i], i + 1 < frames.size());
}

bool ZmqClient::hears_within(std::chrono::milliseconds time) {
    zmq_pollitem_t item{socket_, 0, ZMQ_POLLIN, 0};
    return zmq_poll(&item, 1, time.count()) > 0;
}

}  // namespace unlearn::testing
