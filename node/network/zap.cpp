#include "node/network/zap.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq_addon.hpp>

namespace unlearn::network {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";

/// A ZAP request as RFC 27 lists its frames; CURVE adds the client's key as the only credential.
struct Request {
    std::string id;
    std::string domain;
    std::optional<protocol::CurvePublicKey>
        key;  ///< nothing when it is not a CURVE request that we understand
};

Request parse(const std::vector<zmq::message_t>& frames) {
    constexpr std::size_t kFrames = 7;
    Request request;
    if (frames.size() > 1) request.id = frames[1].to_string();
    if (frames.size() != kFrames || frames[0].to_string_view() != "1.0" ||
        frames[5].to_string_view() != "CURVE")
        return request;
    request.domain = frames[2].to_string();
    if (auto key = protocol::CurvePublicKey::from({frames[6].data<std::uint8_t>(), frames[6].size()}))
        request.key = *key;
    return request;
}

}  // namespace

protocol::Result<std::unique_ptr<ZapHandler>> ZapHandler::start(zmq::context_t& context) {
    const int wake = ::eventfd(0, EFD_CLOEXEC);
    if (wake < 0) return protocol::fail(protocol::ErrorCode::internal, "no descriptor for the ZAP handler");
    try {
        zmq::socket_t socket(context, zmq::socket_type::rep);
        socket.set(zmq::sockopt::linger, 0);
        socket.bind(kEndpoint);
        return std::unique_ptr<ZapHandler>(new ZapHandler(std::move(socket), wake));
    } catch (const zmq::error_t& error) {
        ::close(wake);
        return protocol::fail(protocol::ErrorCode::internal, std::string("ZAP handler: ") + error.what());
    }
}

ZapHandler::ZapHandler(zmq::socket_t socket, int wake_descriptor)
    : socket_(std::move(socket)), wake_descriptor_(wake_descriptor), thread_([this] { serve(); }) {}

ZapHandler::~ZapHandler() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_descriptor_, &one, sizeof(one));
    thread_.join();
    ::close(wake_descriptor_);
}

void ZapHandler::ask(const std::string& domain, std::shared_ptr<AccessList> access) {
    const std::lock_guard lock(mutex_);
    access_[domain] = std::move(access);
}

void ZapHandler::forget(const std::string& domain) {
    const std::lock_guard lock(mutex_);
    access_.erase(domain);
}

bool ZapHandler::may_connect(const std::string& domain, const protocol::CurvePublicKey& key) const {
    // The lock is held while the list is asked, so that no key is let in after `forget` has returned.
    const std::lock_guard lock(mutex_);
    const auto it = access_.find(domain);
    return it != access_.end() &&
           it->second->connecting(key, AccessList::Clock::now()) != AccessList::Answer::refused;
}

void ZapHandler::serve() {
    std::array<zmq::pollitem_t, 2> items{
        {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake_descriptor_, ZMQ_POLLIN, 0}}};
    while (items[1].revents == 0) {
        try {
            zmq::poll(items.data(), items.size(), std::chrono::milliseconds{-1});
            if (items[0].revents != 0) answer_one();
        } catch (const zmq::error_t& error) {
            if (error.num() != EINTR) break;  // no answer means refused, which is the safe side
        }
    }
    socket_.close();
}

void ZapHandler::answer_one() {
    std::vector<zmq::message_t> frames;
    if (!zmq::recv_multipart(socket_, std::back_inserter(frames), zmq::recv_flags::dontwait)) return;
    const Request request = parse(frames);
    const bool allowed = request.key && may_connect(request.domain, *request.key);
    const std::string user_id = allowed ? protocol::to_hex(request.key->view()) : std::string{};
    const std::array<std::string_view, 6> reply{
        "1.0", request.id, allowed ? "200" : "400", allowed ? "OK" : "not on the allow list", user_id, ""};
    for (std::size_t i = 0; i < reply.size(); ++i)
        socket_.send(zmq::buffer(reply[i]),
                     i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

}  // namespace unlearn::network
