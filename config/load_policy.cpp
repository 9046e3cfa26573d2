#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/load_parts.hpp"

namespace signet::config {
namespace {

using policy::ClaimRule;

void add_rule(Section& s, ClaimRule rule, const char* key, ClaimRule::Kind kind, int& comparisons,
              std::vector<ClaimRule>& out) {
    if (!s.has(key)) return;
    if (++comparisons > 1) return s.error(key, "a claim rule has one comparison; write two rules");
    rule.kind = kind;
    const auto add_value = [&](const YAML::Node& node) {
        const auto text = s.reader().json(node);
        if (!text) return;
        auto value = policy::JsonConstant::parse(*text);
        if (value)
            rule.values.push_back(std::move(*value));
        else
            s.error(key, value.error().message);
    };
    if (kind == ClaimRule::Kind::equals) {
        add_value(*s.node(key));
    } else if (kind == ClaimRule::Kind::exists) {
        bool exists = true;
        s.flag(key, exists);
        if (!exists) rule.kind = ClaimRule::Kind::absent;
    } else {
        s.each(key, [&](const YAML::Node& node, std::size_t) { add_value(node); });
        if (rule.values.empty()) return s.error(key, std::string(key) + " needs values to compare with");
    }
    if (kind == ClaimRule::Kind::equals && rule.values.empty()) return;
    out.push_back(std::move(rule));
}

void add_pattern(Section& s, ClaimRule rule, int& comparisons, std::vector<ClaimRule>& out) {
    if (!s.has("pattern")) return;
    if (++comparisons > 1) return s.error("pattern", "a claim rule has one comparison; write two rules");
    std::string text;
    s.text("pattern", text);
    auto pattern = policy::Pattern::parse(text);
    if (!pattern) return s.error("pattern", pattern.error().message);
    rule.kind = ClaimRule::Kind::pattern;
    rule.expression = std::move(*pattern);
    out.push_back(std::move(rule));
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

policy::Alternative load_alternative(Section& s) {
    policy::Alternative out;
    s.texts("scopes", out.scopes);
    for (const auto& scope : out.scopes)
        if (scope.empty() || scope.find_first_of(" \"\\") != std::string::npos)
            s.error("scopes", "'" + scope + "' is not a scope (RFC 6749 section 3.3)");
    s.each("claims", [&](const YAML::Node& node, std::size_t i) {
        Section rule(s.reader(), node, s.path() + ".claims[" + std::to_string(i) + "]");
        std::string name;
        rule.text("claim", name);
        auto path = policy::ClaimPath::parse(name);
        if (!path) return rule.error_here("a claim rule needs `claim`, the claim's name");
        const ClaimRule base{std::move(*path), ClaimRule::Kind::exists, {}, {}};
        int comparisons = 0;
        add_rule(rule, base, "any_of", ClaimRule::Kind::any_of, comparisons, out.claims);
        add_rule(rule, base, "all_of", ClaimRule::Kind::all_of, comparisons, out.claims);
        add_rule(rule, base, "none_of", ClaimRule::Kind::none_of, comparisons, out.claims);
        add_rule(rule, base, "equals", ClaimRule::Kind::equals, comparisons, out.claims);
        add_rule(rule, base, "exists", ClaimRule::Kind::exists, comparisons, out.claims);
        add_pattern(rule, base, comparisons, out.claims);
        if (comparisons == 0)
            rule.error_here("a claim rule needs any_of, all_of, none_of, equals, exists or pattern");
        rule.finish();
    });
    milliseconds max_age{1};
    s.limit("max_age", max_age);
    if (s.has("max_age")) out.authentication.max_age = std::chrono::ceil<seconds>(max_age);
    s.needed_texts("acr_values", out.authentication.acr_values);
    for (const auto& value : out.authentication.acr_values)
        if (value.find_first_of(" \"\\") != std::string::npos || !is_printable(value))
            s.error("acr_values",
                    "'" + value + "' is not a value of acr; one has no spaces, quotes or backslashes");
    for (const auto* key : {"scopes", "claims"})
        if (const auto list = s.node(key); list && list->IsSequence() && list->size() == 0)
            s.error(key,
                    std::string(key) + " is empty, so it asks for nothing; leave it out if that is meant");
    s.finish();
    return out;
}

// `mode` and `enforce_percent`, as the percentage alone. outer: what holds where neither is there.
std::uint8_t load_mode(Section& s, std::uint8_t outer) {
    const auto mode = s.choice("mode", {"enforce", "report_only"});
    std::size_t percent = 0;
    s.count("enforce_percent", percent, 0, 100);
    if (s.has("enforce_percent") && mode != 1)
        s.error("enforce_percent", "enforce_percent goes with mode: report_only, in the same place");
    return !mode ? outer : mode == 0 ? 100 : static_cast<std::uint8_t>(percent);
}

std::string normal_prefix(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
    return prefix;
}

void check_path(Section& s, const char* key, const std::string& path) {
    if (path.empty()) return;
    http::Target target;
    if (path.front() != '/')
        return s.error(key, std::string(key) + " '" + path + "' does not begin with '/'");
    const auto wrong = http::normalise_target(path, http::EncodedSlashes::keep, target);
    if (wrong) return s.error(key, wrong->detail);
    if (target.match_path != path)
        s.error(key, "requests never have this path; what they are matched by is '" +
                         std::string(target.match_path) + "'");
}

void load_route(Section& s, std::uint8_t enforce_percent, int outer_resource, Configuration& out,
                const Names& upstreams, const Names& issuers, std::vector<policy::Route>& routes) {
    policy::Route route;
    std::string prefix, upstream;
    s.texts("hosts", route.hosts);
    for (auto& host : route.hosts) {
        host = to_lower(host);
        const auto bare = host.starts_with("*.") ? std::string_view(host).substr(2) : std::string_view(host);
        if (!http::is_valid_host(bare) || !http::port_of(bare).empty())
            s.error("hosts", "'" + host + "' is not a host name without port, nor *.name");
    }
    s.text("path", route.path);
    s.text("prefix", prefix);
    if (!route.path.empty() && !prefix.empty())
        s.error("prefix", "both path and prefix; a route has one of them");
    check_path(s, "path", route.path);
    check_path(s, "prefix", prefix);
    route.prefix = normal_prefix(prefix);
    route.name = !route.path.empty() ? route.path : !prefix.empty() ? prefix : "/";
    s.text("name", route.name);
    s.texts("methods", route.methods);
    for (const auto& method : route.methods)
        if (!http::is_token(method) || std::ranges::any_of(method, [](char c) {
                return c != lower(c) ? false : is_alnum(c) && !is_digit(c);
            }))
            s.error("methods", "'" + method + "' is not a method; they are written in capitals");
    const auto access = s.choice("access", {"required", "public", "optional"});
    if (access) route.access = static_cast<policy::Access>(*access);
    std::vector<std::string> issuer_names;
    s.texts("issuers", issuer_names);
    for (const auto& name : issuer_names) {
        const auto it = issuers.find(name);
        if (it != issuers.end())
            route.issuers.push_back(it->second);
        else
            s.error("issuers", "no issuer is named '" + name + "'");
    }
    s.texts("audiences", route.audiences);
    if (std::ranges::find(route.audiences, "") != route.audiences.end())
        s.error("audiences", "audiences has an empty entry");
    route.require = load_requirement(s, "require");
    if (route.access == policy::Access::open &&
        (!route.issuers.empty() || !route.audiences.empty() || !route.require.empty()))
        s.error("access", "a public route looks at no token, so it can ask for nothing");
    s.text("upstream", upstream);
    if (upstream.empty()) upstream = "default";
    if (const auto it = upstreams.find(upstream); it != upstreams.end())
        route.upstream = it->second;
    else
        s.error("upstream", "no upstream is named '" + upstream + "'");
    route.enforce_percent = load_mode(s, enforce_percent);
    const int resource = load_resource(s, out, route.issuers);
    route.resource = resource >= 0 ? resource : outer_resource;
    if (route.access == policy::Access::open && (s.has("mode") || s.has("enforce_percent")))
        s.error("mode", "a public route refuses no token, so there is nothing to report");
    s.finish();
    if (routes.size() >= 60'000) return s.error_here("too many routes");
    routes.push_back(std::move(route));
}

}  // namespace

bool is_header_name(std::string_view name) { return http::is_token(name); }

namespace {

// They mean something to HTTP or to Signet.
constexpr std::array reserved_names{"host",
                                    "connection",
                                    "transfer-encoding",
                                    "authorization",
                                    "cookie",
                                    "x-forwarded-for",
                                    "x-forwarded-proto",
                                    "x-forwarded-host",
                                    "upgrade",
                                    "te",
                                    "trailer",
                                    "keep-alive",
                                    "x-request-id",
                                    "expect"};
constexpr std::array reserved_prefixes{"content-", "proxy"};

// As gateways behind us see it, who take `_` for `-`.
std::string flattened(std::string_view name) {
    std::string out(name);
    for (char& c : out) c = http::flatten(c);
    return out;
}

}  // namespace

bool may_be_claim_header(std::string_view name) {
    const auto n = flattened(name);
    return std::ranges::none_of(reserved_names, [&](const char* word) { return n == word; }) &&
           std::ranges::none_of(reserved_prefixes, [&](const char* word) { return n.starts_with(word); });
}

bool may_be_removed_prefix(std::string_view prefix) {
    const auto p = flattened(prefix);
    const auto covers = [&](std::string_view word) { return word.starts_with(p); };
    // X-Forwarded-* and the like: those of them that we write ourselves are written all the same.
    return may_be_claim_header(prefix) &&
           std::ranges::none_of(reserved_names,
                                [&](std::string_view w) { return !w.starts_with("x-") && covers(w); }) &&
           std::ranges::none_of(reserved_prefixes, covers);
}

std::vector<policy::ClaimHeader> load_claim_headers(Section& s, const char* key) {
    std::vector<policy::ClaimHeader> out;
    s.each(key, [&](const YAML::Node& node, std::size_t i) {
        Section entry(s.reader(), node,
                      (s.path().empty() ? "" : s.path() + ".") + key + "[" + std::to_string(i) + "]");
        policy::ClaimHeader header;
        std::string claim;
        entry.text("claim", claim);
        entry.text("header", header.header);
        entry.flag("required", header.required);
        if (const auto encoding = entry.choice("encoding", {"auto", "string", "csv", "json", "base64url"}))
            header.encoding = static_cast<policy::Encoding>(*encoding);
        entry.finish();
        auto path = policy::ClaimPath::parse(claim);
        if (!path) return entry.error_here("an entry needs `claim`, the claim's name");
        header.claim = std::move(*path);
        if (!is_header_name(header.header))
            return entry.error("header", "'" + header.header + "' is not a header name");
        if (!may_be_claim_header(header.header))
            return entry.error(
                "header",
                header.header + " means something to HTTP or to Signet; claims go into another header");
        for (const auto& other : out)
            if (http::flat_equal(other.header, header.header))
                return entry.error(
                    "header", other.header + " and " + header.header + " are one header to some upstreams");
        out.push_back(std::move(header));
    });
    return out;
}

policy::Requirement load_requirement(Section& s, const char* key) {
    policy::Requirement out;
    const auto node = s.node(key);
    if (!node) return out;
    const auto path = (s.path().empty() ? std::string() : s.path() + ".") + key;
    const auto add = [&](const YAML::Node& map, const std::string& where) {
        if (!map.IsMap())
            return s.reader().error(map, "require is a map with scopes and claims, or a list of such maps");
        Section alternative(s.reader(), map, where);
        auto loaded = load_alternative(alternative);
        if (!loaded.scopes.empty() || !loaded.claims.empty() || !loaded.authentication.empty())
            out.alternatives.push_back(std::move(loaded));
        else if (node->IsSequence())
            alternative.error_here("an alternative that asks for nothing makes the others pointless");
    };
    if (node->IsSequence() && node->size() == 0)
        s.error(key, "require is an empty list, of which none can hold; leave it out if nothing is meant");
    if (node->IsSequence()) {
        std::size_t i = 0;
        for (const auto& item : *node) add(item, path + "[" + std::to_string(i++) + "]");
    } else {
        add(*node, path);
    }
    return out;
}

void load_routes(Section& root, Configuration& out, const Names& upstreams, const Names& issuers) {
    std::vector<policy::Route> routes;
    const auto enforce_percent = load_mode(root, 100);
    const int resource = load_resource(root, out, {});
    root.each("routes", [&](const YAML::Node& node, std::size_t i) {
        Section section(root.reader(), node, "routes[" + std::to_string(i) + "]");
        if (node.IsMap()) load_route(section, enforce_percent, resource, out, upstreams, issuers, routes);
    });
    if (routes.empty()) {
        policy::Route all;  // everything needs a token
        all.name = "/";
        all.enforce_percent = enforce_percent;
        all.resource = resource;
        if (const auto it = upstreams.find("default"); it != upstreams.end())
            all.upstream = it->second;
        else
            root.error_here(
                "without routes everything goes to the upstream `default`, which there is none of");
        routes.push_back(std::move(all));
    }
    out.rules->routes = policy::RouteTable(std::move(routes));
}

}  // namespace signet::config
