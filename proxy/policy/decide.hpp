// What a route asks of a verified token: its issuers, audiences, scopes and claim rules.
#pragma once

#include <optional>

#include "base/json.hpp"
#include "policy/issuer_rules.hpp"
#include "policy/route_table.hpp"

namespace signet::policy {

// nullopt: the route admits it. Depends on nothing but its arguments, so an answer may be remembered with the
// token, unless the route's requirement depends on time.
std::optional<Refusal> decide(const json::Value& payload, std::uint16_t issuer, const IssuerRules& rules,
                              const Route& route, WallTime now);

}  // namespace signet::policy
