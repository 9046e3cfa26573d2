// What a payload must hold: `require` of routes and issuers. Alternatives, of which one must hold whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "policy/claim_path.hpp"
#include "policy/json_constant.hpp"
#include "policy/refusal.hpp"

namespace signet::policy {

// One rule on one claim. Values compare by JSON type, without coercion; an array holds a value if it contains
// it; an absent claim passes only none_of and `exists: false`.
struct ClaimRule {
    enum class Kind : std::uint8_t { any_of, all_of, none_of, equals, exists, absent };

    ClaimPath claim;
    Kind kind = Kind::exists;
    std::vector<JsonConstant> values;  // one for equals, none for exists and absent

    [[nodiscard]] bool holds(const json::Value& payload) const;
    [[nodiscard]] std::string describe() const;  // "realm_access.roles any_of [\"admin\"]"
};

struct Alternative {
    std::vector<std::string> scopes;  // all of them
    std::vector<ClaimRule> claims;    // all of them
};

struct Requirement {
    std::vector<Alternative> alternatives;  // none: nothing is required

    [[nodiscard]] bool empty() const { return alternatives.empty(); }
    // nullopt: it holds. Else scope_insufficient with the scopes of the alternative that lacks only those, or
    // claim_not_allowed.
    [[nodiscard]] std::optional<Refusal> check(const json::Value& payload) const;
};

// Is the scope in `scope` (RFC 8693 §4.2: space-separated; or an array) or in `scp`?
bool has_scope(const json::Value& payload, std::string_view scope);

}  // namespace signet::policy
