// Which rule a request falls under: the first route that matches its host, path and method.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/requirement.hpp"

namespace signet::policy {

enum class Access : std::uint8_t { required, open, optional };  // `open` is the configuration's `public`

struct Route {
    std::string name;
    std::vector<std::string> hosts;  // lower case, without port; "*.example.com" allowed; none: any
    std::string path;                // exact; or
    std::string prefix;              // whole segments, without a trailing slash; both empty: any
    std::vector<std::string> methods;
    Access access = Access::required;
    std::vector<std::uint16_t> issuers;  // indices; none: any
    std::vector<std::string> audiences;  // in the place of the issuer's; none: the issuer's
    Requirement require;
    std::uint16_t upstream = 0;
    // Of how many subjects in a hundred the refusals count; those of the others are lifted (report_only).
    std::uint8_t enforce_percent = 100;
    int resource = -1;  // index of what its challenges tell of; -1: nothing
};

class RouteTable {
  public:
    RouteTable() = default;
    explicit RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
        for (const auto& route : routes_) has_hosts_ = has_hosts_ || !route.hosts.empty();
    }

    // host: lower case, without port. path: normalised, without ;parameters. Index of the route, or nullopt.
    [[nodiscard]] std::optional<std::uint16_t> match(std::string_view method, std::string_view host,
                                                     std::string_view path) const;
    [[nodiscard]] const Route& at(std::uint16_t index) const { return routes_[index]; }
    [[nodiscard]] std::size_t size() const { return routes_.size(); }
    [[nodiscard]] bool looks_at_hosts() const { return has_hosts_; }

  private:
    std::vector<Route> routes_;
    bool has_hosts_ = false;
};

}  // namespace signet::policy
