#pragma once

#include <string>
#include <vector>

#include <zmq.hpp>

#include "world.hpp"

namespace unlearn::network::test {

/// A plain libzmq DEALER that knows a node's address and minds no rule of ours.
class RawPeer {
  public:
    RawPeer(const protocol::Identity& own, const protocol::PeerAddress& node)
        : socket_(context_, zmq::socket_type::dealer) {
        const auto secret = own.curve_secret_key();
        set(ZMQ_CURVE_SECRETKEY, secret.data(), secret.size());
        const auto key = own.id().curve_key();
        set(ZMQ_CURVE_PUBLICKEY, key.value.data(), key.value.size());
        const auto server = node.id.curve_key();
        set(ZMQ_CURVE_SERVERKEY, server.value.data(), server.value.size());
        socket_.set(zmq::sockopt::linger, 0);
        socket_.set(zmq::sockopt::sndhwm, 0);
        socket_.connect(node.endpoint);
    }

    void send(const Frames& frames) {
        for (std::size_t i = 0; i < frames.size(); ++i)
            send_part(frames[i], i + 1 < frames.size());
    }
    void send_part(const protocol::Bytes& part, bool more) {
        socket_.send(zmq::buffer(part), more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
    [[nodiscard]] bool receives_within(std::chrono::milliseconds time) {
        socket_.set(zmq::sockopt::rcvtimeo, static_cast<int>(time.count()));
        zmq::message_t part;
        return socket_.recv(part).has_value();
    }

  private:
    void set(int option, const void* value, std::size_t size) {
        zmq_setsockopt(socket_.handle(), option, value, size);
    }
    zmq::context_t context_;
    zmq::socket_t socket_;
};

}  // namespace unlearn::network::test
