// A reason with its sentence. The detail names what was expected and what came, never a part of the token's
// text.
#pragma once

#include <string>

#include "base/reason.hpp"

namespace signet::policy {

struct Refusal {
    Reason reason = Reason::bad_request;
    std::string detail = {};
    std::string scope = {};  // scope_insufficient: the scopes needed, space-separated
    // insufficient_user_authentication: `, acr_values="…", max_age="…"`
    std::string authentication = {};
};

}  // namespace signet::policy
