// The checks on a token whose signature held: typ, claims, times, in the contract's order. The audience is
// looked at here and judged by the gate, since a route may name audiences of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "jose/token.hpp"
#include "policy/issuer_rules.hpp"
#include "policy/refusal.hpp"

namespace signet::policy {

// NumericDates of a token (RFC 7519 §2), read strictly.
struct Times {
    std::optional<WallTime> expires;
    std::optional<WallTime> not_before;
    std::optional<WallTime> issued;
};

// What admission keeps of a token: all that later requests with the same token are judged by.
struct Admitted {
    Times times;
    HeaderBlock headers;
    bool audience_matches = false;  // the issuer's audiences; a route may name others in their place
};

result<Admitted, Refusal> admit(const jose::Token& token, const IssuerRules& rules, WallTime now);

// The part that is looked at again on every request, remembered token or not. nullopt: good at `now`.
std::optional<Refusal> check_times(const Times& times, milliseconds clock_skew, WallTime now);

// Does one of `wanted` stand in the token's audience? Compared byte for byte.
bool audience_matches(const json::Value& payload, const std::vector<ClaimPath>& audience_claims,
                      const std::vector<std::string>& wanted);

}  // namespace signet::policy
