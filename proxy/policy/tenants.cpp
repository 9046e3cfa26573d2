#include "policy/tenants.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace signet::policy {

std::optional<std::string_view> tenant_in(std::string_view before, std::string_view after,
                                          std::string_view iss) {
    if (iss.size() <= before.size() + after.size() || !iss.starts_with(before) || !iss.ends_with(after))
        return std::nullopt;
    const auto name = iss.substr(before.size(), iss.size() - before.size() - after.size());
    const auto allowed = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; };
    if (name.size() > 256 || !std::ranges::all_of(name, allowed)) return std::nullopt;
    return name;
}

Tenants::Tenants(std::string_view text, std::vector<std::string> allowed)
    : before_(text.substr(0, text.find(tenant_mark))),
      after_(text.substr(before_.size() + tenant_mark.size())),
      allowed_(std::move(allowed)) {}

bool Tenants::has(std::string_view iss) const {
    const auto name = tenant_in(before_, after_, iss);
    return name && (allowed_.empty() || std::ranges::find(allowed_, *name) != allowed_.end());
}

}  // namespace signet::policy
