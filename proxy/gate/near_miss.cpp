#include "gate/near_miss.hpp"

#include <algorithm>
#include <vector>

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "jose/token.hpp"

namespace signet::gate {
namespace {

constexpr std::string_view graph =
    "00000003-0000-0000-c000-000000000000";  // Microsoft Graph's own identifier
constexpr std::chrono::minutes clock_trouble{10};

std::string span(milliseconds length) {
    const auto s = std::chrono::duration_cast<seconds>(length).count();
    if (s < 120) return std::to_string(s) + " s";
    if (s < 2 * 3600) return std::to_string(s / 60) + " min";
    return s < 48 * 3600 ? std::to_string(s / 3600) + " h" : std::to_string(s / 86400) + " days";
}

std::optional<milliseconds> since(const json::Value& payload, std::string_view claim, WallTime now) {
    const auto value = payload.find(claim);
    const auto number = value ? value->number() : std::nullopt;
    if (!number || *number < 0 || *number > 253'402'300'799.0) return std::nullopt;
    return now - WallTime(milliseconds(static_cast<std::int64_t>(*number * 1000)));
}

// In what little thing `came` differs from `wanted`; empty: in more.
std::string small_difference(std::string_view came, std::string_view wanted) {
    if (came == wanted) return {};
    const auto bare = [](std::string_view s) {
        while (s.ends_with('/')) s.remove_suffix(1);
        return s;
    };
    const auto without_scheme = [](std::string_view s) {
        const auto at = s.find("://");
        return at == std::string_view::npos ? s : s.substr(at + 3);
    };
    if (bare(came) == bare(wanted)) return "a trailing slash";
    if (iequals(came, wanted)) return "upper and lower case";
    if (trim_ows(came) == trim_ows(wanted)) return "white space";
    if (without_scheme(came) == without_scheme(wanted)) return "http:// and https://";
    if (iequals(bare(without_scheme(came)), bare(without_scheme(wanted)))) return "scheme, case or slash";
    return {};
}

// As in JSON, but for the quotes: whoever sent the token must not steer the terminal that shows it, nor write
// lines of his own into the explanation.
std::string in_quotes(std::string_view text) {
    std::size_t size = std::min<std::size_t>(text.size(), 200);
    while (size < text.size() && size > 0 && (text[size] & 0xC0) == 0x80) --size;  // no half character
    std::string escaped;
    json::write_string(escaped, text.substr(0, size));
    return "'" + escaped.substr(1, escaped.size() - 2) + (size < text.size() ? "…'" : "'");
}

std::string compare(const std::vector<std::string>& came, const std::vector<std::string>& wanted,
                    const char* what) {
    for (const auto& one : came)
        for (const auto& other : wanted)
            if (const auto difference = small_difference(one, other); !difference.empty())
                return std::string(what) + " " + in_quotes(one) + " differs from " + in_quotes(other) +
                       " in " + difference + " only";
    if (came.empty()) return {};
    std::string out = std::string(what) + " is ";
    for (std::size_t i = 0; i < came.size() && i < 5; ++i) out += (i == 0 ? "" : ", ") + in_quotes(came[i]);
    out += "; accepted: ";
    for (std::size_t i = 0; i < wanted.size() && i < 5; ++i)
        out += (i == 0 ? "" : ", ") + in_quotes(wanted[i]);
    return out;
}

std::vector<std::string> strings_of(const json::Value& payload,
                                    const std::vector<policy::ClaimPath>& claims) {
    std::vector<std::string> out;
    for (const auto& claim : claims) {
        const auto value = claim.find(payload);
        if (!value) continue;
        if (const auto text = value->string()) out.emplace_back(*text);
        value->each_element([&](const json::Value& v) {
            if (const auto text = v.string()) out.emplace_back(*text);
            return true;
        });
        break;  // the first that is there is compared
    }
    return out;
}

std::string of_unreadable(std::string_view text, bool decrypts) {
    const auto dots = std::ranges::count(text, '.');
    if (text.find_first_of(" \t\"'") != std::string_view::npos)
        return "white space or quotes came along; pass the token alone";
    if (dots == 4 && !decrypts)
        return "five parts: an encrypted token (JWE); configure the issuer's `decryption`, or ask for one "
               "that is only signed";
    if (dots == 0)
        return "no JWT but an opaque token or a session's name; only its issuer can say what it means (RFC "
               "7662)";
    if (dots == 2 && text.ends_with('.')) return "its signature is empty: an unsigned token";
    if (dots == 1) return "its last part is missing; it was cut, maybe by a limit on the length of a line";
    if (text.find_first_of("+/=") != std::string_view::npos)
        return "base64 instead of base64url, or padding; something re-encoded it";
    return {};
}

std::string of_encrypted(std::string_view text) {
    jose::EncryptedTokenReader reader;
    const auto token = reader.read(TokenText(text));
    if (!token) return {};
    std::string out = "its header says";
    for (const auto* name : {"alg", "enc", "kid", "cty"}) {
        const auto member = token->header.find(name);
        const auto value = member ? member->string() : std::nullopt;
        out += std::string(out.ends_with("says") ? " " : ", ") + name + " " +
               (value ? in_quotes(*value) : std::string("nothing"));
    }
    return out;
}

std::string of_kid(const jose::Token& token, const keys::KeySnapshot* keys, WallTime now) {
    if (!token.kid || keys == nullptr || !keys->set) return {};
    if (keys->departed)
        for (const auto& gone : *keys->departed)
            if (gone.kid == *token.kid)
                return "the key " + in_quotes(gone.kid) + " left the issuer's set " + span(now - gone.at) +
                       " ago; the token was signed before that";
    std::string out = "the token names " + in_quotes(*token.kid) + "; the set has ";
    std::size_t shown = 0;
    for (const auto& key : keys->set->keys)
        if (key.kid() && shown < 5) out += (shown++ == 0 ? "" : ", ") + in_quotes(*key.kid());
    return shown == 0 ? std::string{} : out;
}

std::string of_algorithm(const jose::Token& token, const keys::KeySnapshot* keys) {
    if (token.algorithm_name == "none") return "an unsigned token";
    if (token.algorithm_name.empty()) return "it names no alg";
    std::string out = "its alg is " + in_quotes(token.algorithm_name);
    if (token.algorithm && jose::is_hmac(*token.algorithm))
        return out + ": signed with a shared secret, which goes with secret_file only";
    if (token.kid && keys != nullptr && keys->set)
        for (const auto& key : keys->set->keys)
            if (key.kid() && *key.kid() == *token.kid)
                return out + "; the key " + in_quotes(*token.kid) + " is for " + key.algorithms().names();
    return out;
}

std::string of_scopes(const json::Value& payload) {
    std::string has;
    const auto add = [&](std::string_view scope) { has += (has.empty() ? "" : " ") + std::string(scope); };
    for (const auto* claim : {"scope", "scp"}) {
        const auto value = payload.find(claim);
        if (!value) continue;
        if (const auto text = value->string()) add(*text);
        value->each_element([&](const json::Value& v) {
            if (const auto text = v.string()) add(*text);
            return true;
        });
    }
    return has.empty() ? "the token has no scope at all" : "the token has " + in_quotes(has);
}

std::string of_authentication(const json::Value& payload, WallTime now) {
    const auto acr = payload.find("acr");
    const auto level = acr ? acr->string() : std::nullopt;
    std::string out = level ? "its acr is " + in_quotes(*level) : std::string("it has no acr");
    if (const auto ago = since(payload, "auth_time", now))
        return out + "; the user signed in " + span(*ago) + " ago";
    return out + "; it has no auth_time";
}

}  // namespace

std::string near_miss(std::string_view text, const Decision& decision, const Rules& rules,
                      const keys::KeySnapshot* keys, WallTime now) {
    jose::TokenReader reader;
    const auto token = reader.read(TokenText(text));
    if (decision.refusal.reason == Reason::token_too_large)
        return "it has " + std::to_string(text.size()) + " bytes; tokens.max_size is " +
               std::to_string(rules.max_token_size);
    if (decision.refusal.reason == Reason::decryption_failed && !token) return of_encrypted(text);
    if (!token)
        return decision.refusal.reason == Reason::token_malformed
                   ? of_unreadable(text, !rules.decryption.empty())
                   : std::string{};
    const auto& payload = token->payload;
    const auto* issuer =
        decision.issuer >= 0 ? &rules.issuers[static_cast<std::size_t>(decision.issuer)] : nullptr;
    const auto audiences =
        strings_of(payload, issuer != nullptr ? issuer->audience_claims : policy::claim_paths({"aud"}));
    const bool for_graph = std::ranges::any_of(audiences, [](const std::string& a) {
        return a == graph || a.starts_with("https://graph.microsoft.com");
    });
    if (for_graph && (decision.refusal.reason == Reason::signature_invalid ||
                      decision.refusal.reason == Reason::audience_mismatch || token->header.find("nonce")))
        return "a Microsoft Graph token, which nobody but Graph can verify; ask for a token of your own "
               "API's scope";
    switch (decision.refusal.reason) {
        case Reason::expired:
            if (const auto ago = since(payload, "exp", now))
                return "it ended " + span(*ago) + " ago" +
                       (*ago < clock_trouble ? "; a clock that is off by that much would explain it" : "");
            break;
        case Reason::not_yet_valid:
            for (const auto* claim : {"nbf", "iat"})
                if (const auto ago = since(payload, claim, now); ago && ago->count() < 0)
                    return std::string(claim) + " is " + span(-*ago) + " ahead" +
                           (-*ago < clock_trouble ? "; a clock that is off by that much would explain it"
                                                  : "");
            break;
        case Reason::audience_mismatch: {
            const auto& route = rules.routes.at(static_cast<std::uint16_t>(decision.route));
            if (audiences.empty()) return "it names no audience at all";
            if (issuer != nullptr)
                return compare(audiences, route.audiences.empty() ? issuer->audiences : route.audiences,
                               "the audience");
            break;
        }
        case Reason::issuer_unknown: {
            std::vector<std::string> known;
            for (const auto& one : rules.issuers) known.push_back(one.issuer);
            const auto iss = payload.find("iss");
            if (decision.issuer < 0 && iss && iss->string())
                return compare({std::string(*iss->string())}, known, "the issuer");
            break;
        }
        case Reason::kid_unknown:
            return of_kid(*token, keys, now);
        case Reason::alg_not_allowed:
            return of_algorithm(*token, keys);
        case Reason::scope_insufficient:
            return of_scopes(payload);
        case Reason::insufficient_user_authentication:
            return of_authentication(payload, now);
        case Reason::typ_mismatch:
            if (payload.find("at_hash") || payload.find("nonce") || payload.find("c_hash"))
                return "an ID token, which tells the client who signed in; a service wants the access token";
            if (payload.find("events")) return "a logout or security event token, which is no permission";
            if (issuer != nullptr && token->typ)
                return compare({std::string(*token->typ)}, issuer->token_types, "its typ");
            break;
        default:
            break;
    }
    return {};
}

}  // namespace signet::gate
