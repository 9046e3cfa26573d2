#include "keys/key_snapshot.hpp"

namespace signet::keys {

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
