#include "policy/authentication.hpp"

#include <algorithm>

#include "policy/words.hpp"

namespace signet::policy {
std::optional<std::string> Authentication::check(const json::Value& payload, WallTime now,
                                                 milliseconds skew) const {
    if (!acr_values.empty()) {
        const auto acr = payload.find("acr");
        const auto text = acr ? acr->string() : std::nullopt;
        if (!text || std::ranges::find(acr_values, *text) == acr_values.end())
            return "its acr is none of: " + joined(acr_values);
    }
    if (max_age) {
        const auto claim = payload.find("auth_time");
        const auto at = claim ? claim->number() : std::nullopt;
        if (!at || *at < 0 || *at > 253'402'300'799.0)
            return "it does not say when the user signed in (auth_time)";
        const double ago = std::chrono::duration<double>(now.time_since_epoch()).count() - *at;
        const double allowed = std::chrono::duration<double>(*max_age + skew).count();
        if (ago * 1000 < -static_cast<double>(skew.count())) return "its auth_time is still to come";
        if (ago > allowed)
            return "the user signed in more than " + std::to_string(max_age->count()) + " s ago";
    }
    return std::nullopt;
}

std::string Authentication::challenge() const {
    std::string out;
    if (!acr_values.empty()) out += ", acr_values=\"" + joined(acr_values) + "\"";
    if (max_age) out += ", max_age=\"" + std::to_string(max_age->count()) + "\"";
    return out;
}

}  // namespace signet::policy
