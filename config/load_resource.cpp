#include <algorithm>

#include "base/text.hpp"
#include "config/load_parts.hpp"
#include "http/request_head.hpp"
#include "http/target.hpp"

namespace signet::config {
namespace {

void load_identifier(Section& s, policy::Resource& out) {
    s.text("identifier", out.identifier);
    if (out.identifier.empty())
        return s.error_here("a resource needs `identifier`, its URL as clients know it");
    const auto url = parse_url(out.identifier);
    if (!url) return s.error("identifier", url.error().message);
    const auto ip = net::parse_address(url->host);
    const bool loopback = url->host == "localhost" || (ip && net::is_loopback(*ip));
    if (!url->https && !loopback)
        return s.error("identifier",
                       "identifier is an https:// URL (RFC 9728 section 1.2); http:// only on loopback");
    const auto authority_at = out.identifier.find("://") + 3;
    const auto path_at = std::min(out.identifier.find('/', authority_at), out.identifier.size());
    // §3.1: between host and path; a slash that ends the host goes.
    std::string path = url->path == "/" ? "" : url->path;
    http::Target target;
    const std::string whole = std::string(policy::resource_metadata_prefix) + path;
    if (http::normalise_target(whole, http::EncodedSlashes::keep, target) || target.match_path != whole)
        return s.error("identifier", "requests never have the path of this identifier; write it plainly");
    out.host = to_lower(url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]");
    out.metadata_path = whole;
    out.metadata_url = out.identifier.substr(0, path_at) + whole;
}

}  // namespace

int load_resource(Section& owner, Configuration& out, const std::vector<std::uint16_t>& issuers) {
    auto s = owner.section("resource");
    if (!s) return -1;
    policy::Resource resource;
    load_identifier(*s, resource);
    s->needed_texts("authorization_servers", resource.authorization_servers);
    for (const auto& server : resource.authorization_servers)
        if (const auto url = parse_url(server); !url) s->error("authorization_servers", url.error().message);
    if (resource.authorization_servers.empty())
        for (std::size_t i = 0; i < out.rules->issuers.size(); ++i)
            if (issuers.empty() || std::ranges::find(issuers, static_cast<std::uint16_t>(i)) != issuers.end())
                // A build server's name, say, is nowhere that a client could go; nor is a pattern.
                if (const auto& rules = out.rules->issuers[i]; parse_url(rules.issuer) && !rules.tenants)
                    resource.authorization_servers.push_back(rules.issuer);
    s->needed_texts("scopes_supported", resource.scopes_supported);
    s->text("documentation", resource.documentation);
    if (const auto url =
            parse_url(resource.documentation.substr(0, resource.documentation.find_first_of("?#")));
        !resource.documentation.empty() && !url)
        s->error("documentation", url.error().message);
    s->finish();
    auto& all = out.rules->resources;
    for (const auto& other : all)
        if (!resource.identifier.empty() && other.host == resource.host &&
            other.metadata_path == resource.metadata_path)
            s->error("identifier",
                     "another resource has this host and path, and so the same place for its metadata");
    all.push_back(std::move(resource));
    return static_cast<int>(all.size()) - 1;
}

void finish_resources(Configuration& out) {
    const auto& places = out.rules->http.extraction;
    std::vector<std::string> methods;  // RFC 6750 §2
    const auto bearer = [](const http::TokenHeader& h) {
        return iequals(h.name, "Authorization") && iequals(h.value_prefix, "Bearer ");
    };
    if (std::ranges::any_of(places.headers, bearer)) methods.emplace_back("header");
    if (std::ranges::find(places.params, "access_token") != places.params.end())
        methods.emplace_back("query");
    for (auto& resource : out.rules->resources)
        resource.document = policy::make_metadata_document(resource, methods);
}

}  // namespace signet::config
