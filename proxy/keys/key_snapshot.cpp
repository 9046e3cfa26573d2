#include "keys/key_snapshot.hpp"

#include <algorithm>

namespace signet::keys {

std::optional<Hash128> KeySnapshot::wanted(std::string_view kid, SteadyTime now) const {
    if (!remote) return std::nullopt;
    const auto hash = siphash128(kid_seed, kid);
    if (quiet_kids &&
        std::ranges::any_of(*quiet_kids, [&](const auto& q) { return q.kid == hash && now < q.until; }))
        return std::nullopt;
    return hash;
}

Candidates choose_keys(const jose::KeySet& set, std::optional<std::string_view> kid, jose::Algorithm alg) {
    Candidates out;
    out.kid_known = !kid;
    const auto take = [&](const jose::VerificationKey& key) {
        if (key.algorithms().has(alg) && out.count < max_candidates) out.keys[out.count++] = &key;
    };
    // Keys of that very name first: keys without one must not crowd them out.
    if (kid)
        for (const auto& key : set.keys)
            if (key.kid() && *key.kid() == *kid) {
                out.kid_known = true;
                take(key);
            }
    for (const auto& key : set.keys)
        if (!kid || !key.kid()) take(key);
    return out;
}

}  // namespace signet::keys
