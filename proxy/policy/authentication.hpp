// How the user signed in, as far as a route asks for it (RFC 9470: step-up authentication).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace signet::policy {

struct Authentication {
    std::optional<seconds> max_age;       // since auth_time
    std::vector<std::string> acr_values;  // one of these in acr; none: any

    [[nodiscard]] bool empty() const { return !max_age && acr_values.empty(); }
    // nullopt: it will do. Else what is missing, in words. skew: of the clocks.
    [[nodiscard]] std::optional<std::string> check(const json::Value& payload, WallTime now,
                                                   milliseconds skew) const;
    // , acr_values="…", max_age="…": what the client is to ask the issuer for (§3), in a challenge's words.
    [[nodiscard]] std::string challenge() const;
};

}  // namespace signet::policy
