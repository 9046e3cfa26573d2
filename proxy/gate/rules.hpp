// One generation of configuration, as the gate sees it. Immutable, shared between workers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gate/decryption.hpp"
#include "http/settings.hpp"
#include "policy/issuer_rules.hpp"
#include "policy/resource.hpp"
#include "policy/route_table.hpp"

namespace signet::gate {

struct Rules {
    http::Settings http;
    std::vector<policy::IssuerRules> issuers;
    policy::RouteTable routes;
    Decryption decryption;
    std::size_t max_token_size = 16 * 1024;
    bool bypass_cors_preflight = false;
    std::vector<policy::ClaimPath> logged_claims;
    std::vector<policy::Resource> resources;

    // Of the route; empty: none.
    [[nodiscard]] std::string_view resource_metadata(int route) const {
        const int i = route < 0 ? -1 : routes.at(static_cast<std::uint16_t>(route)).resource;
        return i < 0 ? std::string_view{}
                     : std::string_view(resources[static_cast<std::size_t>(i)].metadata_url);
    }

    // By `iss`, byte for byte, then among those with tenants; -1: none.
    [[nodiscard]] int issuer_index(std::string_view iss) const {
        for (std::size_t i = 0; i < issuers.size(); ++i)
            if (issuers[i].issuer == iss && !issuers[i].tenants) return static_cast<int>(i);
        for (std::size_t i = 0; i < issuers.size(); ++i)
            if (issuers[i].tenants && issuers[i].tenants->has(iss)) return static_cast<int>(i);
        return -1;
    }
};

}  // namespace signet::gate
