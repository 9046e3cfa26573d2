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

namespace {

// Does the issuer that the key names stand for this `iss`? Microsoft's keys say {tenantid} where it may be
// any.
bool is_for(const jose::VerificationKey& key, std::optional<std::string_view> iss) {
    if (!iss || !key.issuer()) return true;
    constexpr std::string_view mark = "{tenantid}";
    const std::string_view own(*key.issuer());
    const auto at = own.find(mark);
    if (at == std::string_view::npos) return own == *iss;
    const auto after = own.substr(at + mark.size());
    return iss->size() > at + after.size() && iss->starts_with(own.substr(0, at)) && iss->ends_with(after) &&
           iss->substr(at, iss->size() - at - after.size()).find('/') == std::string_view::npos;
}

}  // namespace

Candidates choose_keys(const jose::KeySet& set, std::optional<std::string_view> kid, jose::Algorithm alg,
                       std::optional<std::string_view> tenant) {
    Candidates out;
    out.kid_known = !kid;
    const auto take = [&](const jose::VerificationKey& key) {
        if (key.algorithms().has(alg) && out.count < max_candidates) out.keys[out.count++] = &key;
    };
    // Keys of that very name first: keys without one must not crowd them out.
    if (kid)
        for (const auto& key : set.keys)
            if (key.kid() && *key.kid() == *kid && is_for(key, tenant)) {
                out.kid_known = true;
                take(key);
            }
    for (const auto& key : set.keys)
        if ((!kid || !key.kid()) && is_for(key, tenant)) take(key);
    return out;
}

}  // namespace signet::keys
