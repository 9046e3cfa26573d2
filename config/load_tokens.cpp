#include <algorithm>

#include "base/text.hpp"
#include "config/load_parts.hpp"

namespace signet::config {
namespace {

void load_csrf(Section& tokens, http::Csrf& out) {
    const auto node = tokens.node("csrf");
    if (!node) return;
    if (!node->IsMap()) {
        if (tokens.choice("csrf", {"off", "enforce"}) == 0) out.enforce = false;
        return;
    }
    auto csrf = *tokens.section("csrf");
    if (csrf.choice("mode", {"enforce", "off"}) == 1) out.enforce = false;
    csrf.texts("trusted_origins", out.trusted_origins);
    for (auto& origin : out.trusted_origins) {
        const auto url = parse_url(origin);
        if (!url || !url->path.empty())
            csrf.error("trusted_origins",
                       "'" + origin + "' is not an origin such as https://app.example.com");
        origin = to_lower(origin);
    }
    csrf.finish();
}

void load_token_headers(Section& tokens, http::Extraction& out) {
    if (!tokens.has("from_headers")) return;
    out.headers.clear();
    tokens.each("from_headers", [&](const YAML::Node& node, std::size_t i) {
        Section entry(tokens.reader(), node, "tokens.from_headers[" + std::to_string(i) + "]");
        http::TokenHeader header;
        entry.text("name", header.name);
        entry.text("value_prefix", header.value_prefix);
        entry.finish();
        if (!is_header_name(header.name)) return entry.error_here("an entry needs `name`, a header's name");
        std::string n(header.name);
        for (char& c : n) c = http::flatten(c);
        if (n == "cookie" || n == "host" || n == "connection" || n == "content-length" ||
            n == "transfer-encoding" || n.starts_with("x-forwarded-") || n == "x-request-id" ||
            n == "expect" || n == "upgrade")
            return entry.error("name",
                               header.name + " cannot carry a token; for cookies there is from_cookies");
        for (const auto& other : out.headers)
            if (http::flat_equal(other.name, header.name))
                return entry.error("name", header.name + " comes twice");
        out.headers.push_back(std::move(header));
    });
    if (out.headers.size() > 16) tokens.error("from_headers", "more than 16 headers");
}

}  // namespace

void load_tokens(Section& root, Configuration& out) {
    auto& rules = *out.rules;
    if (auto tokens = root.section("tokens")) {
        auto& places = rules.http.extraction;
        load_token_headers(*tokens, places);
        tokens->texts("from_cookies", places.cookies);
        tokens->texts("from_params", places.params);
        for (const auto& name : places.cookies)
            if (!http::is_token(name)) tokens->error("from_cookies", "'" + name + "' is not a cookie's name");
        for (const auto& name : places.params)
            if (name.empty()) tokens->error("from_params", "a parameter needs a name");
        tokens->flag("forward", places.forward);
        load_csrf(*tokens, rules.http.csrf);
        tokens->size("max_size", rules.max_token_size);
        if (rules.max_token_size < 256)
            tokens->error("max_size", "max_size is 256 bytes at least; no token is shorter");
        tokens->size("cache_bytes", out.cache_bytes);
        if (tokens->has("close_on_token_end"))
            tokens->not_in_this_build("close_on_token_end", "close_on_token_end");
        tokens->finish();
        if (places.headers.empty() && places.cookies.empty() && places.params.empty())
            tokens->error_here(
                "tokens are looked for nowhere; name from_headers, from_cookies or from_params");
    }
    auto& names = rules.http.names;
    for (std::size_t i = 0; i < std::min<std::size_t>(rules.http.extraction.headers.size(), 16); ++i)
        names.add_token_source(rules.http.extraction.headers[i].name, static_cast<std::int8_t>(i));

    std::vector<std::string> removed{"Remote-User",
                                     "X-Remote-User",
                                     "X-Forwarded-User",
                                     "X-Forwarded-Email",
                                     "X-Forwarded-Groups",
                                     "X-Forwarded-Preferred-Username",
                                     "X-Forwarded-Access-Token",
                                     "X-Auth-Request-*"};
    root.texts("request_headers_to_remove", removed);
    for (const auto& name : removed) {
        const auto bare =
            name.ends_with('*') ? std::string_view(name).substr(0, name.size() - 1) : std::string_view(name);
        const bool prefix = bare.size() != name.size();
        if (!is_header_name(bare) || !(prefix ? may_be_removed_prefix(bare) : may_be_claim_header(bare)))
            root.error("request_headers_to_remove", "'" + name + "' cannot be removed here");
        else
            names.remove(name, http::Drop::always);
    }
    std::string payload_header;
    root.text("forward_payload_header", payload_header);
    if (!payload_header.empty()) {
        if (!is_header_name(payload_header) || !may_be_claim_header(payload_header))
            root.error("forward_payload_header",
                       payload_header + " means something to HTTP or to Signet; name another header");
        else
            names.remove(payload_header, http::Drop::always);
        for (auto& upstream : out.net->upstreams) upstream.form.payload_header = payload_header;
    }
    std::vector<std::string> added;
    for (const auto& upstream : out.net->upstreams)
        for (auto& name : split_names(upstream.form.added_lines)) added.push_back(std::move(name));
    for (const auto& name : added)
        if (!payload_header.empty() && http::flat_equal(name, payload_header))
            root.error("forward_payload_header", payload_header + " is in request_headers_to_add too");
    for (const auto& source : rules.http.extraction.headers)
        if (!payload_header.empty() && http::flat_equal(source.name, payload_header))
            root.error("forward_payload_header", payload_header + " is where tokens come from");
    for (const auto& issuer : rules.issuers)
        for (const auto& header : issuer.claim_headers) {
            names.remove(header.header, http::Drop::always);
            for (const auto& name : added)
                if (http::flat_equal(name, header.header))
                    root.error("request_headers_to_add",
                               name + " is a claim's header; the upstream could not tell them apart");
            if (!payload_header.empty() && http::flat_equal(header.header, payload_header))
                root.error("forward_payload_header", payload_header + " is a claim's header too");
            for (const auto& source : rules.http.extraction.headers)
                if (http::flat_equal(source.name, header.header))
                    root.error("claim_to_headers",
                               header.header + " is where tokens come from; claims go into another header");
        }
    if (const auto choice = root.choice("encoded_slashes", {"reject", "keep"}))
        rules.http.encoded_slashes = *choice == 0 ? http::EncodedSlashes::reject : http::EncodedSlashes::keep;
}

}  // namespace signet::config
