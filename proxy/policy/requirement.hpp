// What a payload must hold: `require` of routes and issuers. Alternatives, of which one must hold whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "policy/authentication.hpp"
#include "policy/claim_path.hpp"
#include "policy/json_constant.hpp"
#include "policy/pattern.hpp"
#include "policy/refusal.hpp"

namespace signet::policy {

// One rule on one claim. Values compare by JSON type, without coercion; an array holds a value if it contains
// it; an absent claim passes only none_of and `exists: false`.
struct ClaimRule {
    enum class Kind : std::uint8_t { any_of, all_of, none_of, equals, exists, absent, pattern };

    ClaimPath claim;
    Kind kind = Kind::exists;
    std::vector<JsonConstant> values;        // one for equals; none for exists, absent and pattern
    std::optional<Pattern> expression = {};  // pattern: a string, or one of an array, matches it whole

    [[nodiscard]] bool holds(const json::Value& payload) const;
    [[nodiscard]] std::string describe() const;  // "realm_access.roles any_of [\"admin\"]"
};

struct Alternative {
    std::vector<std::string> scopes;  // all of them
    std::vector<ClaimRule> claims;    // all of them
    Authentication authentication = {};
};

struct Requirement {
    std::vector<Alternative> alternatives;  // none: nothing is required

    [[nodiscard]] bool empty() const { return alternatives.empty(); }
    // Does the answer change with time?
    [[nodiscard]] bool depends_on_time() const;
    // nullopt: it holds. Else what the client can mend most easily: insufficient_user_authentication of an
    // alternative that lacks only that, scope_insufficient with the scopes of one, or claim_not_allowed.
    [[nodiscard]] std::optional<Refusal> check(const json::Value& payload, WallTime now,
                                               milliseconds skew) const;
};

// Is the scope in `scope` (RFC 8693 §4.2: space-separated; or an array) or in `scp`?
bool has_scope(const json::Value& payload, std::string_view scope);

}  // namespace signet::policy
