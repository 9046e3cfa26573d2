#include "policy/requirement.hpp"

#include <algorithm>

#include "policy/words.hpp"

namespace signet::policy {
namespace {

bool holds_value(const json::Value& claim, const json::Value& wanted) {
    if (claim == wanted) return true;
    bool found = false;
    claim.each_element([&](const json::Value& v) { return !(found = v == wanted); });
    return found;
}

bool matches(const json::Value& claim, const Pattern& pattern) {
    if (const auto text = claim.string()) return pattern.matches(*text);
    bool found = false;
    claim.each_element([&](const json::Value& v) {
        const auto text = v.string();
        return !(found = text && pattern.matches(*text));
    });
    return found;
}

bool lists_scope(const json::Value& claim, std::string_view scope) {
    if (const auto text = claim.string()) {
        std::string_view rest = *text;
        while (!rest.empty()) {
            const auto space = rest.find(' ');
            if (rest.substr(0, space) == scope) return true;
            if (space == std::string_view::npos) return false;
            rest.remove_prefix(space + 1);
        }
        return false;
    }
    bool found = false;
    claim.each_element([&](const json::Value& v) { return !(found = v.string() == scope); });
    return found;
}

}  // namespace

bool has_scope(const json::Value& payload, std::string_view scope) {
    for (const auto name : {"scope", "scp"})
        if (const auto claim = payload.find(name))
            if (lists_scope(*claim, scope)) return true;
    return false;
}

bool ClaimRule::holds(const json::Value& payload) const {
    const auto found = claim.find(payload);
    const auto held = [&](const JsonConstant& v) { return found && holds_value(*found, v.value()); };
    switch (kind) {
        case Kind::any_of:
            return std::ranges::any_of(values, held);
        case Kind::all_of:
            return found && std::ranges::all_of(values, held);
        case Kind::none_of:
            return std::ranges::none_of(values, held);
        case Kind::equals:
            return held(values.front());
        case Kind::exists:
            return found.has_value();
        case Kind::absent:
            return !found.has_value();
        case Kind::pattern:
            return found && matches(*found, *expression);
    }
    return false;
}

std::string ClaimRule::describe() const {
    std::string out = claim.text();
    switch (kind) {
        case Kind::any_of:
            out += " any_of";
            break;
        case Kind::all_of:
            out += " all_of";
            break;
        case Kind::none_of:
            out += " none_of";
            break;
        case Kind::equals:
            out += " equals ";
            break;
        case Kind::exists:
            return out + " exists: true";
        case Kind::absent:
            return out + " exists: false";
        case Kind::pattern:
            return out + " pattern " + std::string(expression->text());
    }
    if (kind == Kind::equals) {
        values.front().value().write(out, false);
        return out;
    }
    out += " [";
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i != 0) out += ", ";
        values[i].value().write(out, false);
    }
    return out + "]";
}

bool Requirement::depends_on_time() const {
    return std::ranges::any_of(alternatives,
                               [](const auto& a) { return a.authentication.max_age.has_value(); });
}

std::optional<Refusal> Requirement::check(const json::Value& payload, WallTime now, milliseconds skew) const {
    if (alternatives.empty()) return std::nullopt;
    std::optional<Refusal> nearest, sign_in;
    for (const auto& alternative : alternatives) {
        const bool scopes =
            std::ranges::all_of(alternative.scopes, [&](const auto& s) { return has_scope(payload, s); });
        const auto broken =
            std::ranges::find_if(alternative.claims, [&](const auto& r) { return !r.holds(payload); });
        if (scopes && broken == alternative.claims.end()) {
            const auto lacking = alternative.authentication.check(payload, now, skew);
            if (!lacking) return std::nullopt;
            if (!sign_in)
                sign_in = Refusal{Reason::insufficient_user_authentication,
                                  *lacking,
                                  {},
                                  alternative.authentication.challenge()};
            continue;
        }
        // Scopes come before claim rules in the order of checks; one alternative that lacks only scopes can
        // be mended by the client.
        if (!scopes && (!nearest || nearest->reason != Reason::scope_insufficient)) {
            const auto needed = joined(alternative.scopes);
            nearest = Refusal{Reason::scope_insufficient, "the token lacks a scope of: " + needed, needed};
        } else if (!nearest) {
            nearest = Refusal{Reason::claim_not_allowed, "the claims do not satisfy " + broken->describe()};
        }
    }
    return sign_in ? sign_in : nearest;
}

}  // namespace signet::policy
