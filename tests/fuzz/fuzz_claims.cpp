// Any bytes as the payload of a token whose signature holds: who is admitted has all that is asked, who is
// refused is refused for what is true, and the header lines say what the claims say.
#include "fuzz/fuzz.hpp"
#include "fuzz/gatehouse.hpp"
#include "http/request_head.hpp"
#include "policy/admit.hpp"

using namespace signet;
using namespace signet::fuzz;
using policy::Encoding;

namespace {

constexpr std::string_view header = R"({"alg":"HS256","typ":"at+jwt"})";
constexpr double last_date = 253402300799;

policy::ClaimPath path(std::string_view text) { return policy::ClaimPath::parse(text).value(); }

policy::IssuerRules plain() {
    policy::IssuerRules rules;
    rules.name = "plain";
    rules.issuer = "https://idp";
    rules.audiences = {"api", "orders"};
    rules.algorithms = {jose::Algorithm::HS256};
    return rules;
}

// Everything at once; and a provider like Entra ID or Cognito, whose tokens look different.
policy::IssuerRules strict() {
    auto rules = plain();
    rules.required_claims = policy::claim_paths({"exp", "sub"});
    rules.max_lifetime = std::chrono::hours{1};
    policy::Alternative reader, root;
    reader.scopes = {"read"};
    root.claims.push_back({path("root"), policy::ClaimRule::Kind::equals, {}});
    root.claims.back().values.push_back(policy::JsonConstant::parse("true").value());
    rules.require.alternatives = {reader, root};
    rules.claim_headers = {{path("sub"), "X-Sub", true, Encoding::string},
                           {path("roles"), "X-Roles", false, Encoding::csv},
                           {path("realm.roles"), "X-Realm", false, Encoding::json},
                           {path("name"), "X-Name"},
                           {path("/data/0"), "X-Data", false, Encoding::base64url}};
    return rules;
}

policy::IssuerRules tenants() {
    auto rules = plain();
    rules.issuer = "https://login/{tenant}/v2";
    rules.tenants = policy::Tenants(rules.issuer, {});
    rules.audience_claims = policy::claim_paths({"client_id", "aud"});
    rules.required_claims.clear();
    rules.clock_skew = milliseconds{0};
    rules.reject_id_tokens = false;
    return rules;
}

bool is_text(const std::optional<json::Value>& claim, std::string_view wanted) {
    return claim && claim->string() == wanted;
}

bool lists(const std::optional<json::Value>& claim, const std::vector<std::string>& wanted) {
    bool found = false;
    for (const auto& text : wanted) {
        found = found || is_text(claim, text);
        for (std::size_t i = 0; claim && claim->is_array() && i < claim->size(); ++i)
            found = found || is_text(claim->at(i), text);
    }
    return found;
}

// A NumericDate in milliseconds; nullopt where the claim is none.
std::optional<double> date(const json::Value& payload, const char* name) {
    const auto claim = payload.find(name);
    const auto number = claim ? claim->number() : std::nullopt;
    if (!number || *number < 0 || *number > last_date) return std::nullopt;
    return *number * 1000;
}

bool same_time(std::optional<WallTime> came, std::optional<double> wanted) {
    if (!came || !wanted) return !came && !wanted;
    const auto ms = static_cast<double>(came->time_since_epoch().count());
    return ms <= *wanted && *wanted < ms + 1;
}

bool dates_are_good(const json::Value& payload) {
    for (const char* name : {"exp", "nbf", "iat"})
        if (payload.find(name) && !date(payload, name)) return false;
    return true;
}

bool types_are_good(const json::Value& payload, const policy::RevocationClaims& revocation) {
    for (const char* name : {"iss", "sub", "jti", "sid", "client_id", "azp", "typ"})
        if (const auto claim = payload.find(name); claim && !claim->is_string()) return false;
    for (const auto* names : {&revocation.jti, &revocation.sid, &revocation.sub, &revocation.client})
        for (const auto& name : *names)
            if (const auto claim = name.find(payload); claim && !claim->is_string()) return false;
    const auto aud = payload.find("aud");
    if (!aud || aud->is_string()) return true;
    for (std::size_t i = 0; i < aud->size(); ++i)
        if (!aud->is_array() || !aud->at(i)->is_string()) return false;
    return aud->is_array();
}

bool is_other_kind(const json::Value& payload) {
    const auto typ = payload.find("typ");
    for (const char* kind : {"ID", "Refresh", "Offline", "Logout"})
        if (is_text(typ, kind)) return true;
    return is_text(payload.find("token_use"), "id") || payload.find("events");
}

bool meets_require(const json::Value& payload) {  // of strict()
    const auto root = payload.find("root");
    bool found = root && root->boolean() == true;
    for (std::size_t i = 0; root && root->is_array() && i < root->size(); ++i)
        found = found || root->at(i)->boolean() == true;
    for (const char* name : {"scope", "scp"}) {
        const auto claim = payload.find(name);
        if (!claim) continue;
        if (const auto text = claim->string())
            found = found || (" " + std::string(*text) + " ").find(" read ") != std::string::npos;
        else
            found = found || lists(claim, {"read"});
    }
    return found;
}

// What a field or an element of a list shows of a claim that is neither array nor object.
std::optional<std::string> plain_text(const json::Value& v) {
    if (const auto text = v.string()) return std::string(*text);
    if (v.is_array() || v.is_object() || v.is(json::Type::null)) return std::nullopt;
    std::string out;
    v.write(out, true);
    return out;
}

bool is_same_json(std::string_view text, const json::Value& claim) {
    json::Document document;
    const auto value = document.parse(text);
    for (const char c : text)
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    return value && *value == claim;
}

// The list is the claim's elements in their order, less some that could be misread.
bool is_same_list(std::string_view text, const json::Value& claim) {
    if (text.find('"') != std::string_view::npos) return false;
    if (!claim.is_array()) return plain_text(claim) == text && text.find(',') == std::string_view::npos;
    if (text.empty()) return true;
    for (std::size_t i = 0; i < claim.size(); ++i) {
        const auto comma = std::min(text.find(','), text.size());
        if (plain_text(*claim.at(i)) != text.substr(0, comma)) continue;
        if (comma == text.size()) return true;
        text.remove_prefix(comma + 1);
    }
    return false;
}

bool says(std::string_view value, const json::Value& claim, Encoding encoding) {
    switch (encoding) {
        case Encoding::automatic:
            return claim.is_array() || claim.is_object() ? is_same_json(value, claim)
                                                         : plain_text(claim) == value;
        case Encoding::string:
            return plain_text(claim) == value;
        case Encoding::csv:
            return is_same_list(value, claim);
        case Encoding::json:
            return is_same_json(value, claim);
        case Encoding::base64url: {
            const auto decoded = jose::decode_base64url(value);
            return decoded &&
                   (claim.is_string() ? *decoded == claim.string() : is_same_json(*decoded, claim));
        }
    }
    return false;
}

void check_lines(const policy::HeaderBlock& block, const policy::IssuerRules& rules,
                 const json::Value& payload) {
    std::string_view rest = block.lines;
    std::size_t there = 0, written = 0;
    for (const auto& entry : rules.claim_headers) {
        const auto claim = entry.claim.find(payload);
        there += claim ? 1 : 0;
        if (!rest.starts_with(entry.header + ":")) {
            FUZZ_ASSERT(!entry.required);
            continue;
        }
        const auto end = rest.find("\r\n");
        FUZZ_ASSERT(end != std::string_view::npos);
        // As whoever reads the field upstream reads it.
        http::HeaderField field;
        std::uint32_t hash = 0;
        const Exact line(rest.substr(0, end));
        FUZZ_ASSERT(http::parse_field_line(line.view(), field, hash) == nullptr);
        FUZZ_ASSERT(field.name == entry.header && is_printable(field.value));
        FUZZ_ASSERT(rest.substr(0, end) == entry.header + ": " + std::string(field.value));
        FUZZ_ASSERT(claim && says(field.value, *claim, entry.encoding));
        rest.remove_prefix(end + 2);
        ++written;
    }
    FUZZ_ASSERT(rest.empty());
    FUZZ_ASSERT(written + block.left_out >= there);
    FUZZ_ASSERT(written <= there);
}

void check_admitted(const policy::Admitted& admitted, const policy::IssuerRules& rules,
                    const json::Value& payload) {
    FUZZ_ASSERT(types_are_good(payload, rules.revocation_claims) && dates_are_good(payload));
    FUZZ_ASSERT(!rules.reject_id_tokens || !is_other_kind(payload));
    FUZZ_ASSERT(rules.require.empty() || meets_require(payload));
    for (const auto& name : rules.required_claims) FUZZ_ASSERT(name.find(payload));
    const auto exp = date(payload, "exp"), nbf = date(payload, "nbf"), iat = date(payload, "iat");
    const auto& times = admitted.times;
    FUZZ_ASSERT(same_time(times.expires, exp) && same_time(times.not_before, nbf) &&
                same_time(times.issued, iat));
    const auto skew = rules.clock_skew;
    FUZZ_ASSERT(!policy::check_times(times, skew, now));
    if (exp) {
        const auto end = *times.expires + skew;
        FUZZ_ASSERT(now<end&& * exp + static_cast<double>(skew.count())> now_s * 1000.0);
        FUZZ_ASSERT(!policy::check_times(times, skew, end - milliseconds{1}));
        const auto late = policy::check_times(times, skew, end);
        FUZZ_ASSERT(late && late->reason == Reason::expired);
    }
    for (const auto& from : {times.not_before, times.issued}) FUZZ_ASSERT(!from || *from <= now + skew);
    if (rules.max_lifetime.count() > 0)
        FUZZ_ASSERT(times.issued && times.expires && *times.expires - *times.issued <= rules.max_lifetime);
    std::optional<json::Value> audience;
    for (const auto& name : rules.audience_claims)
        if (!audience) audience = name.find(payload);
    FUZZ_ASSERT(admitted.audience_matches == lists(audience, rules.audiences));
    check_lines(admitted.headers, rules, payload);
}

// A refusal says something that is so.
void check_refused(const policy::Refusal& refusal, const policy::IssuerRules& rules,
                   const json::Value& payload) {
    FUZZ_ASSERT(!refusal.detail.empty() && is_printable(refusal.detail));
    const auto exp = date(payload, "exp"), nbf = date(payload, "nbf"), iat = date(payload, "iat");
    const double at = now_s * 1000.0, skew = static_cast<double>(rules.clock_skew.count());
    bool missing = rules.max_lifetime.count() > 0 && (!exp || !iat);
    for (const auto& name : rules.required_claims) missing = missing || !name.find(payload);
    switch (refusal.reason) {
        case Reason::typ_mismatch:
            FUZZ_ASSERT(rules.reject_id_tokens && is_other_kind(payload));
            return;
        case Reason::claim_invalid: {
            const auto sub = payload.find("sub");
            const auto text = sub ? sub->string().value_or("") : "";
            const bool writable = is_printable(text) && !text.starts_with(' ') && !text.ends_with(' ');
            FUZZ_ASSERT((!writable && !rules.claim_headers.empty()) ||
                        !types_are_good(payload, rules.revocation_claims) || !dates_are_good(payload) ||
                        (!rules.require.empty() && !meets_require(payload)));
            return;
        }
        case Reason::claim_missing:
            FUZZ_ASSERT(missing);
            return;
        case Reason::expired:
            FUZZ_ASSERT(exp && *exp + skew < at + 1);
            return;
        case Reason::not_yet_valid:
            FUZZ_ASSERT((nbf && *nbf > at + skew) || (iat && *iat > at + skew));
            return;
        case Reason::lifetime_too_long:
            FUZZ_ASSERT(exp && iat && *exp - *iat > static_cast<double>(rules.max_lifetime.count()) - 1);
            return;
        default:
            FUZZ_ASSERT(false && "admission has no such reason");
    }
}

bool is_issuer(const json::Value& payload, const policy::IssuerRules& rules) {
    const auto claim = payload.find("iss");
    const auto iss = claim ? claim->string() : std::nullopt;
    if (!iss || !rules.tenants) return iss == rules.issuer;
    FUZZ_ASSERT(policy::Tenants(rules.issuer, {"t"}).has(*iss) == (*iss == "https://login/t/v2"));
    constexpr std::string_view before = "https://login/", after = "/v2";
    if (!iss->starts_with(before) || !iss->ends_with(after) || iss->size() <= before.size() + after.size())
        return false;
    const auto name = iss->substr(before.size(), iss->size() - before.size() - after.size());
    return name.size() <= 256 &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string_view::npos;
}

bool is_revoked(const json::Value& payload, const policy::RevocationClaims& claims) {
    for (const auto* names : {&claims.jti, &claims.sid, &claims.sub, &claims.client})
        for (const auto& name : *names)
            if (is_text(name.find(payload), "gone")) return true;
    return false;
}

void check(Gatehouse& house, std::string_view whole, const jose::Token& token) {
    const auto& rules = house.issuer();
    const auto admitted = policy::admit(token, rules, now);
    const auto again = policy::admit(token, rules, now);
    FUZZ_ASSERT(admitted.has_value() == again.has_value());
    std::optional<Reason> wanted;
    if (admitted) {
        FUZZ_ASSERT(admitted->headers.lines == again->headers.lines);
        check_admitted(*admitted, rules, token.payload);
        if (!admitted->audience_matches)
            wanted = Reason::audience_mismatch;
        else if (is_revoked(token.payload, rules.revocation_claims))
            wanted = Reason::revoked;
    } else {
        FUZZ_ASSERT(admitted.error().reason == again.error().reason &&
                    admitted.error().detail == again.error().detail);
        check_refused(admitted.error(), rules, token.payload);
        wanted = admitted.error().reason;
    }
    if (!is_issuer(token.payload, rules)) wanted = Reason::issuer_unknown;
    if (whole.size() > house.rules().max_token_size) wanted = Reason::token_too_large;
    FUZZ_ASSERT(house.verdict(whole) == wanted);
    if (wanted) return;
    const auto allowed = house.ask(whole);
    FUZZ_ASSERT(allowed.allow->claim_lines() == admitted->headers.lines);
    FUZZ_ASSERT(allowed.allow->payload() == token.payload_base64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static thread_local Gatehouse houses[] = {Gatehouse(plain()), Gatehouse(strict()), Gatehouse(tenants())};
    const auto text = text_of(data, size);
    const auto whole = sign(header, text);
    static const auto key = jose::VerificationKey::from_secret(secret).value();
    jose::TokenReader reader;
    const auto token = reader.read(TokenText(whole));
    json::Document document;
    const auto payload = document.parse(Exact(text).view());
    FUZZ_ASSERT(token.has_value() == (payload && payload->is_object()));
    if (!token) {
        FUZZ_ASSERT(whole.size() > houses[0].rules().max_token_size ||
                    houses[0].verdict(whole) == Reason::token_malformed);
        return 0;
    }
    FUZZ_ASSERT(token->payload_json == text && token->payload == *payload);
    FUZZ_ASSERT(key.verify(jose::Algorithm::HS256, token->signing_input, token->signature));
    for (auto& house : houses) check(house, whole, *token);
    return 0;
}
