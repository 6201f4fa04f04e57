#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "node/learning/data/random.hpp"
#include "protocol/bytes.hpp"
#include "protocol/digest.hpp"
#include "protocol/identity.hpp"

namespace unlearn::sim::faults {

/// The random seeds of a simulated world, with marks by which their bytes can be found anywhere.
class Payloads {
  public:
    using Mark = std::array<std::uint8_t, 16>;

    /// Makes a new seed of `owner`. Every 32 bytes of it begin with its mark, so any 47 bytes of it contain
    /// one.
    [[nodiscard]] protocol::SharedSeedBytes make(const protocol::NodeId& owner, std::size_t bytes,
                                                 learning::RandomStream& random);
    [[nodiscard]] bool is_from(const protocol::NodeId& owner, protocol::ByteView payload) const;
    [[nodiscard]] const std::vector<Mark>& marks_of(const protocol::NodeId& owner) const;

  private:
    std::map<protocol::NodeId, std::vector<Mark>> marks_;
    std::map<protocol::NodeId, std::set<protocol::Digest>> digests_;
};

}  // namespace unlearn::sim::faults
