#include <algorithm>

#include "base/text.hpp"
#include "config/load_parts.hpp"

namespace signet::config {
namespace {

using keys::SourceKind;

struct SourceKey {
    const char* key;
    SourceKind kind;
};
constexpr SourceKey source_keys[] = {
    {"discovery_url", SourceKind::discovery_url}, {"jwks_uri", SourceKind::jwks_uri},
    {"jwks_file", SourceKind::jwks_file},         {"public_key_file", SourceKind::public_key_file},
    {"secret_file", SourceKind::secret_file},     {"jwks", SourceKind::inline_set}};

void check_key_url(Section& s, const char* key, const std::string& url, const keys::Settings& settings) {
    const auto parsed = parse_url(url.substr(0, url.find('?')));
    if (!parsed) return s.error(key, parsed.error().message);
    const auto ip = net::parse_address(parsed->host);
    const bool loopback = parsed->host == "localhost" || (ip && net::is_loopback(*ip));
    if (!parsed->https && !settings.allow_http && !loopback)
        s.error(key, "keys over http:// can be replaced on their way; use https:// or say allow_http: true");
    if (ip && net::is_link_local(*ip) && !settings.allow_link_local)
        s.error(key, "a link-local address; say allow_link_local: true if that is meant");
}

void load_key_source(Section& s, keys::Settings& out) {
    const char* chosen = nullptr;
    for (const auto& source : source_keys) {
        const auto node = s.node(source.key);
        if (!node) continue;
        if (chosen != nullptr) {
            s.error(source.key, std::string("both ") + chosen + " and " + source.key +
                                    "; an issuer has one source of keys");
            continue;
        }
        chosen = source.key;
        out.kind = source.kind;
        if (source.kind == SourceKind::inline_set) {
            out.location = s.reader().json(*node).value_or("");
            if (const auto keys = (*node)["keys"];
                node->IsMap() && keys && keys.IsSequence() && keys.size() == 0)
                s.warn(source.key, "jwks is empty: every token of this issuer is answered 503");
        } else {
            s.text(source.key, out.location);
        }
    }
    s.text("ca_file", out.ca_file);
    s.text("bearer_token_file", out.bearer_token_file);
    s.flag("allow_http", out.allow_http);
    s.flag("allow_link_local", out.allow_link_local);
    s.duration("refresh_interval", out.refresh_interval);
    s.duration("refetch_cooldown", out.refetch_cooldown);
    s.limit("max_stale", out.max_stale);
    s.flag("required_for_ready", out.required_for_ready);
    const bool local = chosen != nullptr && !keys::is_remote(out.kind);
    for (const auto& [key, file] :
         {std::pair{"ca_file", &out.ca_file}, {"bearer_token_file", &out.bearer_token_file}})
        if (local && !file->empty())
            s.error(key, std::string(key) + " is for keys that are fetched; these are not");
    const auto& fetched_from = chosen == nullptr ? out.issuer : out.location;
    if (!local && !out.bearer_token_file.empty() && !iequals(fetched_from.substr(0, 8), "https://"))
        s.error("bearer_token_file", "bearer_token_file is sent over https:// only, and these keys are not");
    if (out.refresh_interval < milliseconds(100))
        s.error("refresh_interval", "refresh_interval is at least 100ms");
    if (chosen == nullptr && out.issuer.find('{') != std::string::npos) {
        s.error_here(
            "an issuer with {tenant} needs discovery_url or jwks_uri: there is one set of keys for all");
    } else if (chosen == nullptr) {
        out.kind = SourceKind::discovery;
        out.location = out.issuer;
        check_key_url(s, "issuer", out.issuer, out);
    } else if (keys::is_remote(out.kind)) {
        check_key_url(s, chosen, out.location, out);
    }
}

void load_algorithms(Section& s, bool secret, jose::AlgorithmSet& out) {
    using enum jose::Algorithm;
    if (secret) out = {HS256, HS384, HS512};  // further bounded by the secret's length
    std::vector<std::string> names;
    s.texts("algorithms", names);
    if (!s.has("algorithms")) return;
    out = {};
    for (const auto& name : names) {
        const auto a = jose::algorithm_from(name);
        if (!a) {
            s.error("algorithms",
                    "'" + name + "' is no algorithm that Signet can verify" + jose::why_unknown(name));
        } else if (jose::is_hmac(*a) != secret) {
            s.error("algorithms", name + (secret ? " does not go with secret_file" : " needs secret_file"));
        } else {
            out = out | jose::meant_by(*a);
        }
    }
    if (out.empty()) s.error("algorithms", "algorithms names none that can be used");
}

void load_revocation_claims(Section& s, policy::RevocationClaims& out) {
    auto claims = s.section("revocation_claims");
    if (!claims) return;
    out.jti = load_claim_paths(*claims, "jti", out.jti);
    out.sid = load_claim_paths(*claims, "sid", out.sid);
    out.sub = load_claim_paths(*claims, "sub", out.sub);
    out.client = load_claim_paths(*claims, "client", out.client);
    claims->finish();
}

void load_tenants(Section& s, policy::IssuerRules& rules) {
    std::vector<std::string> tenants;
    bool any = false;
    s.needed_texts("tenants", tenants);
    s.flag("any_tenant", any);
    const auto mark = rules.issuer.find(policy::tenant_mark);
    const auto braces = std::ranges::count(rules.issuer, '{') + std::ranges::count(rules.issuer, '}');
    if (mark == std::string::npos) {
        if (braces != 0) s.error("issuer", "the only thing in braces is {tenant}");
        for (const auto* key : {"tenants", "any_tenant"})
            if (s.has(key)) s.error(key, std::string(key) + " goes with an issuer that has {tenant} in it");
        return;
    }
    if (braces != 2)
        return s.error("issuer", "{tenant} stands in an issuer once, and nothing else in braces");
    const auto host_ends = rules.issuer.find('/', rules.issuer.find("://") + 3);
    if (host_ends == std::string::npos || mark < host_ends)
        return s.error("issuer", "{tenant} stands in the path: whoever may choose a host may be anybody");
    if (tenants.empty() == !any)
        return s.error_here("an issuer with {tenant} needs `tenants`, or `any_tenant: true` said aloud");
    for (const auto& name : tenants)
        if (!policy::tenant_in("", "", name)) s.error("tenants", "'" + name + "' is not a tenant's name");
    rules.tenants = policy::Tenants(rules.issuer, std::move(tenants));
}

std::string default_name(const std::string& issuer) {
    const auto url = parse_url(issuer.substr(0, issuer.find('?')));
    return url ? url->host : issuer;
}

template <class Set, class From>
void load_names(Section& s, const char* key, const char* what, From from, Set& out) {
    if (!s.has(key)) return;
    std::vector<std::string> names;
    s.needed_texts(key, names);
    out = {};
    for (const auto& name : names) {
        if (const auto known = from(name))
            out.add(*known);
        else
            s.error(key, "'" + name + "' is no " + what);
    }
}

void load_decryption(Section& s, policy::IssuerRules& rules, keys::Settings& keys) {
    const auto node = s.node("decryption");
    auto own = s.section("decryption");
    if (!own) return;
    if (node->size() == 0) return own->finish();
    policy::DecryptionRules out;
    own->text("jwks_file", keys.decryption_file);
    if (!own->has("jwks_file"))
        own->error_here("decryption needs `jwks_file`: the private keys that tokens are encrypted for");
    load_names(*own, "algorithms", "key management algorithm that Signet decrypts", jose::key_management_from,
               out.algorithms);
    load_names(*own, "encryptions", "content encryption that Signet decrypts", jose::content_encryption_from,
               out.encryptions);
    own->flag("required", out.required);
    own->finish();
    rules.decryption = out;
}

void load_issuer(Section& s, Configuration& out, const std::vector<policy::ClaimHeader>& global_headers) {
    policy::IssuerRules rules;
    keys::Settings keys;
    s.text("issuer", rules.issuer);
    if (rules.issuer.empty()) s.error_here("an issuer needs `issuer`, the value of its tokens' iss");
    load_tenants(s, rules);
    rules.name = default_name(rules.issuer);
    s.text("name", rules.name);
    keys.name = rules.name;
    keys.issuer = rules.issuer;
    load_key_source(s, keys);

    s.needed_texts("audiences", rules.audiences);
    s.flag("any_audience", rules.any_audience);
    if (rules.audiences.empty() && !rules.any_audience)
        s.error_here("an issuer needs `audiences`, or `any_audience: true` said aloud");
    if (!rules.audiences.empty() && rules.any_audience)
        s.error("any_audience", "both audiences and any_audience: true");
    rules.audience_claims = load_claim_paths(s, "audience_claims", rules.audience_claims);
    if (rules.audience_claims.empty())
        s.error("audience_claims", "audience_claims is an empty list; name a claim, or leave it out");
    load_algorithms(s, keys.kind == SourceKind::secret_file, rules.algorithms);
    if (s.has("clock_skew") && s.has("leeway"))
        s.error("leeway", "clock_skew and leeway are one thing; keep one");
    s.duration("clock_skew", rules.clock_skew);
    s.duration("leeway", rules.clock_skew);
    rules.required_claims = load_claim_paths(s, "required_claims", rules.required_claims);
    rules.require = load_requirement(s, "require");
    // A token is remembered once it is admitted; what changes with time belongs to routes.
    if (std::ranges::any_of(rules.require.alternatives,
                            [](const auto& a) { return !a.authentication.empty(); }))
        s.error("require", "max_age and acr_values are a route's to ask for, not an issuer's");
    s.needed_texts("token_types", rules.token_types);
    for (auto& type : rules.token_types) {
        type = to_lower(type);
        if (type.starts_with("application/")) type.erase(0, 12);
    }
    if (const auto choice = s.choice("id_tokens", {"reject", "accept"}))
        rules.reject_id_tokens = *choice == 0;
    s.duration("max_lifetime", rules.max_lifetime);
    load_revocation_claims(s, rules.revocation_claims);
    rules.claim_headers =
        s.has("claim_to_headers") ? load_claim_headers(s, "claim_to_headers") : global_headers;
    load_decryption(s, rules, keys);
    s.finish();

    for (const auto& other : out.rules->issuers) {
        if (other.name == rules.name)
            s.error_here("two issuers are named '" + rules.name + "'; give them a `name` each");
        if (other.issuer == rules.issuer) s.error_here("issuer '" + rules.issuer + "' comes twice");
    }
    out.rules->issuers.push_back(std::move(rules));
    out.keys.push_back(std::move(keys));
}

}  // namespace

std::vector<policy::ClaimPath> load_claim_paths(Section& s, const char* key,
                                                std::vector<policy::ClaimPath> fallback) {
    if (!s.has(key)) return fallback;
    std::vector<std::string> names;
    s.texts(key, names);
    std::vector<policy::ClaimPath> out;
    for (const auto& name : names) {
        auto path = policy::ClaimPath::parse(name);
        if (path)
            out.push_back(std::move(*path));
        else
            s.error(key, path.error().message);
    }
    return out;
}

Names load_issuers(Section& root, Configuration& out,
                   const std::vector<policy::ClaimHeader>& global_headers) {
    Names names;
    if (!root.has("issuers")) {
        root.error_here("`issuers` is needed: whose tokens are admitted");
        return names;
    }
    root.each("issuers", [&](const YAML::Node& node, std::size_t i) {
        Section section(root.reader(), node, "issuers[" + std::to_string(i) + "]");
        if (node.IsMap()) load_issuer(section, out, global_headers);
    });
    if (out.rules->issuers.empty())
        root.error("issuers", "`issuers` is empty: nobody's tokens would be admitted");
    for (std::size_t i = 0; i < out.rules->issuers.size(); ++i) {
        names.emplace(out.rules->issuers[i].issuer, static_cast<std::uint16_t>(i));
        names.emplace(out.rules->issuers[i].name, static_cast<std::uint16_t>(i));
    }
    return names;
}

}  // namespace signet::config
