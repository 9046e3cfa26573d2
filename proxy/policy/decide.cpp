#include "policy/decide.hpp"

#include <algorithm>

#include "policy/admit.hpp"

namespace signet::policy {

std::optional<Refusal> decide(const json::Value& payload, std::uint16_t issuer, const IssuerRules& rules,
                              const Route& route, WallTime now) {
    if (!route.issuers.empty() && std::ranges::find(route.issuers, issuer) == route.issuers.end())
        return Refusal{Reason::issuer_unknown, "this route does not take tokens of issuer " + rules.name};
    if (!route.audiences.empty() && !audience_matches(payload, rules.audience_claims, route.audiences))
        return Refusal{Reason::audience_mismatch, "none of the audiences that this route accepts is in it"};
    return route.require.check(payload, now, rules.clock_skew);
}

}  // namespace signet::policy
