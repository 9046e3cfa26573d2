#include "gate/targets.hpp"

#include <string>

namespace signet::gate {

using revocation::Kind;

std::vector<revocation::TargetHash> targets_of(const revocation::Index& index, const json::Value& payload,
                                               std::string_view issuer, std::string_view kid,
                                               const policy::RevocationClaims& claims) {
    std::vector<revocation::TargetHash> out;
    out.reserve(12);
    const auto add = [&](Kind kind, std::string_view value) {
        out.push_back(index.hash(kind, {}, value));
        out.push_back(index.hash(kind, issuer, value));
    };
    const auto add_claims = [&](Kind kind, const std::vector<policy::ClaimPath>& names) {
        for (const auto& name : names) {
            const auto claim = name.find(payload);
            const auto text = claim ? claim->string() : std::nullopt;
            if (text) add(kind, *text);
        }
    };
    add_claims(Kind::jti, claims.jti);
    add_claims(Kind::sid, claims.sid);
    add_claims(Kind::sub, claims.sub);
    add_claims(Kind::client, claims.client);
    if (!kid.empty()) add(Kind::kid, kid);
    out.push_back(index.hash(Kind::issuer, issuer, {}));
    return out;
}

}  // namespace signet::gate
