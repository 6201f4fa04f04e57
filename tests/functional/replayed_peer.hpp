#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "protocol/durable.hpp"
#include "protocol/identity.hpp"

/// An attacker with the disk of a device from before its exit.
namespace unlearn::testing {

enum class Reaction {
    shown_the_exit,  ///< the holder answered with the exit notice of this identity
    asked_for_seed,  ///< the holder wants the seed
    none,
};

class ReplayedPeer {
  public:
    /// Takes keys and the newest signed announcement from a data folder, also while it is in use.
    explicit ReplayedPeer(const std::filesystem::path& data_dir);

    /// The weights of the seed as they travel and as they lie in tensors, without the header that all seeds
    /// of one architecture share.
    [[nodiscard]] const std::string& weights() const { return weights_; }

    /// Connects as the owner, says hello and announces the old seed with a fresh lease.
    [[nodiscard]] Reaction announce_to(const std::string& address) const;
    /// The same to a holder that nobody can dial: waits for it at the port of the old device.
    [[nodiscard]] Reaction announce_when_dialled(const std::string& holder, int port) const;

  private:
    [[nodiscard]] Reaction announce(const std::optional<std::string>& listen,
                                    const protocol::PeerAddress& to) const;

    protocol::Identity identity_;
    protocol::NetworkId network_;
    protocol::SignedBytes record_;
    std::string weights_;
};

}  // namespace unlearn::testing
