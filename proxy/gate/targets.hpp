// What a token can be revoked by.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "policy/issuer_rules.hpp"
#include "revocation/index.hpp"

namespace signet::gate {

// Hashes of every target that hits this token: each revocation claim present, the key that verified, the
// issuer; each with the issuer and without. kid empty: the key has none.
std::vector<revocation::TargetHash> targets_of(const revocation::Index& index, const json::Value& payload,
                                               std::string_view issuer, std::string_view kid,
                                               const policy::RevocationClaims& claims);

}  // namespace signet::gate
