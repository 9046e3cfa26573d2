// An issuer with many tenants, each with an `iss` of its own and all with one set of keys:
// https://login.example.com/{tenant}/v2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signet::policy {

inline constexpr std::string_view tenant_mark = "{tenant}";

class Tenants {
  public:
    // text: with the mark in it, once. allowed: their names, byte for byte; empty: any.
    Tenants(std::string_view text, std::vector<std::string> allowed);

    // Is `iss` that of a tenant that is let in? A tenant's name is letters, digits, '.', '_' and '-'.
    [[nodiscard]] bool has(std::string_view iss) const;

  private:
    std::string before_, after_;
    std::vector<std::string> allowed_;
};

// What stands in iss where the mark stands in the text, nullopt where the rest differs or that is no tenant's
// name.
std::optional<std::string_view> tenant_in(std::string_view before, std::string_view after,
                                          std::string_view iss);

}  // namespace signet::policy
