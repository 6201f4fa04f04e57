#include "protocol/engine/expulsions.hpp"

#include <algorithm>
#include <utility>

#include "protocol/limits.hpp"

namespace unlearn::protocol {

void Expulsions::load(LoadedState& state) {
    for (auto& stored : state.revocations) {
        // It was checked when it came. Only the name of its key is needed again.
        const auto read = read_revocation(stored.revocation);
        erasures_.keep_erased_version(stored.member, stored.erased);
        expelled_.emplace(stored.member, Expelled{std::move(stored.revocation),
                                                  read ? read->network_key : NodeId{}, true, false, false});
    }
}

void Expulsions::start() {
    for (auto& [member, expelled] : expelled_) {
        if (erasures_.may_be_on_disk(member))
            advance(member, expelled);
        else
            expelled.erased = true;
    }
}

Result<bool> Expulsions::take(const SignedBytes& signed_bytes) {
    const auto read = read_revocation(signed_bytes);
    if (!read) return tl::unexpected(read.error());
    if (read->network_key != network_key_.current() || contains(read->member)) return false;
    const auto revocation = verify_revocation(context_.config.network, signed_bytes);
    if (!revocation) return tl::unexpected(revocation.error());
    // The thief of an earlier key may have signed any number, so the next key has room of its own.
    const auto by_this_key = std::count_if(expelled_.begin(), expelled_.end(), [&](const auto& known) {
        return known.second.signed_by == read->network_key;
    });
    if (by_this_key >= static_cast<std::ptrdiff_t>(kMaxRevocations)) return false;
    const NodeId& member = revocation->member;
    expelled_.emplace(member, Expelled{signed_bytes, revocation->network_key, false, false, false});
    const SeedVersion in_place = held_.stop_using(member);
    const SeedVersion version = in_place != SeedVersion{0} ? in_place : erasures_.wiped_version(member);
    erasures_.keep_erased_version(member, version);
    context_.note(EventKind::member_expelled, member, version);
    writes_.persist({PutRevocation{member, signed_bytes, version}}, after_write::RevocationStored{member});
    if (in_place != SeedVersion{0}) erasures_.wipe(member, version);
    return true;
}

void Expulsions::on(const after_write::RevocationStored& stored) {
    Expelled& expelled = expelled_.at(stored.member);
    expelled.durable = true;
    advance(stored.member, expelled);
}

void Expulsions::advance(const NodeId& member) {
    if (const auto it = expelled_.find(member); it != expelled_.end()) advance(member, it->second);
}

void Expulsions::advance(const NodeId& member, Expelled& expelled) {
    // Once the member leaves, too, its exit erases its seed.
    if (!expelled.durable || expelled.erased || exits_.contains(member)) return;
    if (erasures_.is_wiping(member) || expelled.erase_asked) return;
    if (!erasures_.may_be_on_disk(member)) {
        expelled.erased = true;
        return;
    }
    expelled.erase_asked = true;
    writes_.persist({EraseHeldSeed{member}}, after_write::ExpelledSeedErased{member});
}

void Expulsions::on(const after_write::ExpelledSeedErased& stored) {
    expelled_.at(stored.owner).erased = true;
    if (erasures_.erased_from_disk(stored.owner))
        context_.note(EventKind::seed_erased, stored.owner, erasures_.wiped_version(stored.owner));
}

const SignedBytes* Expulsions::revocation_of(const NodeId& member) const {
    const auto it = expelled_.find(member);
    return it == expelled_.end() || !it->second.durable ? nullptr : &it->second.revocation;
}

std::vector<SignedBytes> Expulsions::durable() const {
    std::vector<SignedBytes> out;
    for (const auto& [member, expelled] : expelled_)
        if (expelled.durable) out.push_back(expelled.revocation);
    return out;
}

std::vector<SignedBytes> Expulsions::signed_by_current_key() const {
    std::vector<SignedBytes> out;
    for (const auto& [member, expelled] : expelled_)
        if (expelled.durable && expelled.signed_by == network_key_.current())
            out.push_back(expelled.revocation);
    return out;
}

}  // namespace unlearn::protocol
