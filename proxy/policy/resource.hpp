// A protected resource as it tells of itself (RFC 9728), so that a client without a token finds out where to
// get one. Made at load.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signet::policy {

// Where all metadata lives; an identifier's own path follows (RFC 9728 §3.1).
inline constexpr std::string_view resource_metadata_prefix = "/.well-known/oauth-protected-resource";

struct Resource {
    std::string identifier;                          // a URL
    std::string host;                                // of the identifier, lower case, without port
    std::string metadata_path;                       // as requests have it once normalised
    std::string metadata_url;                        // for challenges (§5.1)
    std::vector<std::string> authorization_servers;  // issuers
    std::vector<std::string> scopes_supported;
    std::string documentation;  // a URL; empty: none
    std::string document;       // what is answered: JSON
};

// The metadata document (§2). bearer_methods: of header, body and query those that Signet takes a token from.
std::string make_metadata_document(const Resource& resource, const std::vector<std::string>& bearer_methods);

// The resource whose metadata lives at this path; where several do, the one of that host, else the first.
// null: none. host: lower case, without port.
const Resource* find_resource(const std::vector<Resource>& resources, std::string_view path,
                              std::string_view host);

}  // namespace signet::policy
