#include "sim/faults/payloads.hpp"

#include <algorithm>
#include <memory>

namespace unlearn::sim::faults {

using namespace protocol;

SharedSeedBytes Payloads::make(const NodeId& owner, std::size_t bytes, learning::RandomStream& random) {
    Mark mark{};
    for (auto& byte : mark)
        byte = static_cast<std::uint8_t>(random.next());
    Bytes payload(bytes);
    for (std::size_t at = 0; at < bytes; ++at)
        payload[at] = at % 32 < mark.size() ? mark[at % 32] : static_cast<std::uint8_t>(random.next());
    marks_[owner].push_back(mark);
    digests_[owner].insert(digest_of(payload));
    return std::make_shared<const SeedBytes>(std::move(payload));
}

bool Payloads::is_from(const NodeId& owner, ByteView payload) const {
    const auto found = digests_.find(owner);
    return found != digests_.end() && found->second.contains(digest_of(payload));
}

const std::vector<Payloads::Mark>& Payloads::marks_of(const NodeId& owner) const {
    static const std::vector<Mark> none;
    const auto found = marks_.find(owner);
    return found == marks_.end() ? none : found->second;
}

}  // namespace unlearn::sim::faults
