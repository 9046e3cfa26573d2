#include <vector>

#include "jose/base64url.hpp"
#include "keys/key_snapshot.hpp"
#include "unit/vectors/vectors.hpp"

namespace signet::test {

result<jose::KeySet> keys_of(const json::Value& jwk) {
    const auto kty = jwk.find("kty");
    if (kty && kty->string() == "oct") {
        const auto text = [&](const char* name) {
            const auto member = jwk.find(name);
            return std::string(member ? member->string().value_or("") : "");
        };
        const auto alg = jose::algorithm_from(text("alg"));
        const auto secret = jose::decode_base64url(text("k"));
        if (!alg || !is_hmac(*alg) || !secret) return fault("no HMAC secret");
        auto key = jose::VerificationKey::from_secret(*secret);
        if (!key) return key.error();
        if (!key->algorithms().has(*alg)) return fault("the secret is too short for its alg");
        jose::KeySet set;
        set.keys.push_back(std::move(*key));
        return set;
    }
    std::string json;
    jwk.write(json, false);
    return jose::parse_jwk_set("{\"keys\":[" + json + "]}");
}

std::string judge(std::string_view jws, const jose::KeySet& keys) {
    std::vector<std::string_view> parts;
    for (std::size_t from = 0; from <= jws.size();) {
        const auto dot = std::min(jws.find('.', from), jws.size());
        parts.push_back(jws.substr(from, dot - from));
        from = dot + 1;
    }
    if (parts.size() != 3 || parts[0].empty() || parts[2].empty()) return "not three parts";
    const auto header_json = jose::decode_base64url(parts[0]), signature = jose::decode_base64url(parts[2]);
    if (!header_json || !jose::decode_base64url(parts[1]) || !signature) return "not canonical base64url";
    json::Document document;
    const auto header = document.parse(*header_json);
    if (!header || !header->is_object()) return "the header is no strict JSON object";
    if (header->find("crit")) return "crit";
    const auto alg_member = header->find("alg");
    const auto alg =
        alg_member && alg_member->string() ? jose::algorithm_from(*alg_member->string()) : std::nullopt;
    if (!alg) return "alg";
    std::optional<std::string_view> kid;
    if (const auto member = header->find("kid")) {
        kid = member->string();
        if (!kid) return "kid is no string";
    }
    const auto candidates = keys::choose_keys(keys, kid, *alg);
    if (candidates.count == 0) return candidates.kid_known ? "alg does not fit the key" : "kid unknown";
    const auto input = jws.substr(0, parts[0].size() + 1 + parts[1].size());
    for (std::size_t i = 0; i < candidates.count; ++i)
        if (candidates.keys[i]->verify(*alg, input, *signature)) return "";
    return "the signature does not hold";
}

}  // namespace signet::test
