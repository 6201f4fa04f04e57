#include "node/network/frames.hpp"

#include "protocol/limits.hpp"

namespace unlearn::network {

std::size_t longest_frame(std::size_t index) {
    constexpr std::array<std::size_t, protocol::kMaxFrames> kLongest{
        protocol::kHeaderSize, protocol::kMaxBody, protocol::kMaxPayload};
    return index < kLongest.size() ? kLongest[index] : 0;
}

std::optional<std::string> problem_with(std::span<const std::size_t> lengths) {
    if (lengths.empty()) return "message without frames";
    if (lengths.size() > protocol::kMaxFrames)
        return "too many frames: more than " + std::to_string(protocol::kMaxFrames);
    if (lengths[0] != protocol::kHeaderSize)
        return "header of " + std::to_string(lengths[0]) + " bytes instead of " +
               std::to_string(protocol::kHeaderSize);
    for (std::size_t i = 1; i < lengths.size(); ++i) {
        if (lengths[i] > longest_frame(i))
            return "frame " + std::to_string(i) + " of " + std::to_string(lengths[i]) + " bytes: at most " +
                   std::to_string(longest_frame(i));
    }
    return std::nullopt;
}

std::optional<std::string> problem_with(const Frames& frames) {
    std::vector<std::size_t> lengths;
    for (const protocol::Bytes& frame : frames)
        lengths.push_back(frame.size());
    return problem_with(lengths);
}

std::uint8_t kind_number(const Frames& frames) {
    constexpr std::size_t kKindByte = 3;
    return !frames.empty() && frames[0].size() > kKindByte ? frames[0][kKindByte] : 0;
}

}  // namespace unlearn::network
