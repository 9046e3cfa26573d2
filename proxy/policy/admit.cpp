#include "policy/admit.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"

namespace signet::policy {
namespace {

constexpr double last_date = 253402300799.0;  // 9999-12-31T23:59:59Z

Refusal refuse(Reason reason, std::string detail) { return {reason, std::move(detail)}; }

std::optional<Refusal> check_typ(const jose::Token& token, const IssuerRules& rules) {
    // RFC 7515 §4.1.9: application/ is left out where no other slash follows; RFC 8725 §3.11.
    std::string_view typ = token.typ.value_or("JWT");
    constexpr std::string_view prefix = "application/";
    if (typ.size() > prefix.size() && iequals(typ.substr(0, prefix.size()), prefix))
        typ.remove_prefix(prefix.size());
    if (std::ranges::none_of(rules.token_types, [&](const auto& t) { return iequals(t, typ); }))
        return refuse(Reason::typ_mismatch, "its typ is not among those accepted from this issuer");
    if (!rules.reject_id_tokens) return std::nullopt;
    // Keycloak writes the kind of token into the payload's typ; Cognito into token_use; RFC 8417 events mark
    // logout tokens and SETs.
    if (const auto kind = token.payload.find("typ"))
        for (const auto other : {"ID", "Refresh", "Offline", "Logout"})
            if (kind->string() == other)
                return refuse(Reason::typ_mismatch,
                              std::string("it is a token of kind ") + other + ", not an access token");
    if (const auto use = token.payload.find("token_use"); use && use->string() == "id")
        return refuse(Reason::typ_mismatch, "it is an ID token, not an access token");
    if (token.payload.find("events"))
        return refuse(Reason::typ_mismatch, "it carries events, so it is no access token");
    return std::nullopt;
}

result<std::optional<WallTime>, Refusal> read_date(const json::Value& payload, const char* name) {
    const auto claim = payload.find(name);
    if (!claim) return std::optional<WallTime>{};
    const auto number = claim->number();
    if (!number || !(*number >= 0) || *number > last_date)
        return refuse(Reason::claim_invalid, std::string("claim ") + name + " is not a date in seconds");
    return std::optional(WallTime{milliseconds{static_cast<std::int64_t>(std::floor(*number * 1000.0))}});
}

std::optional<Refusal> check_types(const json::Value& payload) {
    for (const auto name : {"iss", "sub", "jti", "sid", "client_id", "azp", "typ"})
        if (const auto claim = payload.find(name); claim && !claim->is_string())
            return refuse(Reason::claim_invalid, std::string("claim ") + name + " is not a string");
    if (const auto aud = payload.find("aud"); aud && !aud->is_string()) {
        bool strings = aud->is_array();
        aud->each_element([&](const json::Value& v) { return strings = v.is_string(); });
        if (!strings)
            return refuse(Reason::claim_invalid, "claim aud is neither a string nor an array of strings");
    }
    return std::nullopt;
}

// Under a claim of another type no revocation could be found: a wrong type is never "absent".
std::optional<Refusal> check_revocation_claims(const json::Value& payload, const RevocationClaims& claims) {
    for (const auto* names : {&claims.jti, &claims.sid, &claims.sub, &claims.client})
        for (const auto& name : *names)
            if (const auto claim = name.find(payload); claim && !claim->is_string())
                return refuse(Reason::claim_invalid, "claim " + name.text() + " is not a string");
    return std::nullopt;
}

std::string duration_text(milliseconds d) {
    const auto s = std::chrono::ceil<seconds>(d).count();
    return std::to_string(s) + " s";
}

std::optional<Refusal> check_lifetime(const Times& times, const IssuerRules& rules) {
    if (rules.max_lifetime.count() == 0) return std::nullopt;
    if (!times.issued)
        return refuse(Reason::claim_missing, "claim iat is missing, and max_lifetime needs it");
    if (!times.expires)
        return refuse(Reason::claim_missing, "claim exp is missing, and max_lifetime needs it");
    const auto lifetime = *times.expires - *times.issued;
    if (lifetime <= rules.max_lifetime) return std::nullopt;
    return refuse(Reason::lifetime_too_long, "it lives " + duration_text(lifetime) + ", and " +
                                                 duration_text(rules.max_lifetime) + " are allowed");
}

}  // namespace

std::optional<Refusal> check_times(const Times& times, milliseconds clock_skew, WallTime now) {
    if (times.expires && now >= *times.expires + clock_skew)
        return refuse(Reason::expired, "it expired " + duration_text(now - *times.expires) + " ago");
    if (times.not_before && now + clock_skew < *times.not_before)
        return refuse(Reason::not_yet_valid,
                      "it is valid from " + duration_text(*times.not_before - now) + " from now");
    if (times.issued && now + clock_skew < *times.issued)
        return refuse(Reason::not_yet_valid,
                      "it was issued " + duration_text(*times.issued - now) + " in the future");
    return std::nullopt;
}

bool audience_matches(const json::Value& payload, const std::vector<ClaimPath>& audience_claims,
                      const std::vector<std::string>& wanted) {
    const auto is_wanted = [&](const json::Value& v) {
        const auto text = v.string();
        return text && std::ranges::find(wanted, *text) != wanted.end();
    };
    for (const auto& name : audience_claims) {
        const auto claim = name.find(payload);
        if (!claim) continue;
        if (!claim->is_array()) return is_wanted(*claim);
        bool found = false;
        claim->each_element([&](const json::Value& v) { return !(found = is_wanted(v)); });
        return found;
    }
    return false;
}

result<Admitted, Refusal> admit(const jose::Token& token, const IssuerRules& rules, WallTime now) {
    if (auto wrong = check_typ(token, rules)) return *wrong;
    if (auto wrong = check_types(token.payload)) return *wrong;
    if (auto wrong = check_revocation_claims(token.payload, rules.revocation_claims)) return *wrong;

    Admitted admitted;
    const std::array<std::pair<const char*, std::optional<WallTime>*>, 3> dates{
        {{"exp", &admitted.times.expires},
         {"nbf", &admitted.times.not_before},
         {"iat", &admitted.times.issued}}};
    for (const auto& [name, target] : dates) {
        const auto date = read_date(token.payload, name);
        if (!date) return date.error();
        *target = *date;
    }
    for (const auto& name : rules.required_claims)
        if (!name.find(token.payload))
            return refuse(Reason::claim_missing, "claim " + name.text() + " is missing");
    auto headers = make_claim_headers(rules.claim_headers, token.payload);
    if (!headers) return headers.error();
    admitted.headers = std::move(*headers);
    if (const auto wrong = rules.require.check(token.payload, now, rules.clock_skew))
        return refuse(Reason::claim_invalid, "the issuer's require: " + wrong->detail);

    if (auto wrong = check_times(admitted.times, rules.clock_skew, now)) return *wrong;
    if (auto wrong = check_lifetime(admitted.times, rules)) return *wrong;
    admitted.audience_matches =
        rules.any_audience || audience_matches(token.payload, rules.audience_claims, rules.audiences);
    return admitted;
}

}  // namespace signet::policy
