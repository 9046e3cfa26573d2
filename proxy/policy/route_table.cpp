#include "policy/route_table.hpp"

#include <algorithm>

namespace signet::policy {
namespace {

bool host_matches(const Route& route, std::string_view host) {
    if (route.hosts.empty()) return true;
    return std::ranges::any_of(route.hosts, [&](std::string_view wanted) {
        if (!wanted.starts_with("*.")) return wanted == host;
        return host.size() > wanted.size() - 1 && host.ends_with(wanted.substr(1));
    });
}

bool method_matches(const Route& route, std::string_view method) {
    if (route.methods.empty()) return true;
    return std::ranges::any_of(
        route.methods, [&](std::string_view m) { return m == method || (m == "GET" && method == "HEAD"); });
}

bool path_matches(const Route& route, std::string_view path) {
    if (!route.path.empty()) return path == route.path;
    // /admin covers /admin, /admin/ and /admin/x, not /administrator. The root's prefix is empty here and
    // covers all.
    return path.starts_with(route.prefix) &&
           (path.size() == route.prefix.size() || path[route.prefix.size()] == '/' || route.prefix.empty());
}

}  // namespace

std::optional<std::uint16_t> RouteTable::match(std::string_view method, std::string_view host,
                                               std::string_view path) const {
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const auto& route = routes_[i];
        if (path_matches(route, path) && method_matches(route, method) && host_matches(route, host))
            return static_cast<std::uint16_t>(i);
    }
    return std::nullopt;
}

}  // namespace signet::policy
