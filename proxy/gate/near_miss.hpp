// What a refused token is, most likely, for a person on call: a guess beside the reason, never a part of the
// decision.
#pragma once

#include <string>
#include <string_view>

#include "gate/gate.hpp"

namespace signet::gate {

// Empty where nothing comes to mind. text: the token, or what an encrypted one held once
// it was opened; untrusted; what is shown of it is no secret:
// claims and header members, never the signature.
std::string near_miss(std::string_view text, const Decision& decision, const Rules& rules,
                      const keys::KeySnapshot* keys, WallTime now);

}  // namespace signet::gate
