#include "policy/resource.hpp"

#include "base/json_writer.hpp"

namespace signet::policy {

std::string make_metadata_document(const Resource& resource, const std::vector<std::string>& bearer_methods) {
    std::string out;
    json::Writer w(out);
    const auto list = [&](const char* name, const std::vector<std::string>& values) {
        if (values.empty()) return;  // §2: a member without values is left out
        w.key(name).array();
        for (const auto& value : values) w.value(value);
        w.end_array();
    };
    w.object().member("resource", resource.identifier);
    list("authorization_servers", resource.authorization_servers);
    list("scopes_supported", resource.scopes_supported);
    list("bearer_methods_supported", bearer_methods);
    if (!resource.documentation.empty()) w.member("resource_documentation", resource.documentation);
    w.end_object();
    return out;
}

const Resource* find_resource(const std::vector<Resource>& resources, std::string_view path,
                              std::string_view host) {
    const Resource* first = nullptr;
    for (const auto& resource : resources) {
        if (resource.metadata_path != path) continue;
        if (resource.host == host) return &resource;
        if (first == nullptr) first = &resource;
    }
    return first;
}

}  // namespace signet::policy
