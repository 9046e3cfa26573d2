// What we require of one issuer's tokens: settings, immutable.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "jose/algorithm.hpp"
#include "jose/encryption.hpp"
#include "policy/claim_headers.hpp"
#include "policy/requirement.hpp"
#include "policy/tenants.hpp"

namespace signet::policy {

// The claims under which a token's revocation is looked up. Every one present is asked.
struct RevocationClaims {
    std::vector<ClaimPath> jti = claim_paths({"jti", "uti"});
    std::vector<ClaimPath> sid = claim_paths({"sid"});
    std::vector<ClaimPath> sub = claim_paths({"sub"});
    std::vector<ClaimPath> client = claim_paths({"client_id", "azp", "cid", "appid"});
};

// Of an issuer whose tokens come encrypted; the keys are in gate::Decryption.
struct DecryptionRules {
    jose::KeyManagementSet algorithms = jose::all_key_management;
    jose::ContentEncryptionSet encryptions = jose::all_content_encryption;
    bool required = false;  // then a token that is only signed is refused

    [[nodiscard]] bool allow(jose::KeyManagement a, jose::ContentEncryption e) const {
        return algorithms.has(a) && encryptions.has(e);
    }
};

struct IssuerRules {
    std::string name;                // label
    std::string issuer;              // `iss`, byte for byte
    std::optional<Tenants> tenants;  // then `issuer` is the text with the mark
    std::vector<std::string> audiences;
    bool any_audience = false;
    std::vector<ClaimPath> audience_claims = claim_paths({"aud"});
    jose::AlgorithmSet algorithms = jose::asymmetric_algorithms;
    milliseconds clock_skew{30'000};
    std::vector<ClaimPath> required_claims = claim_paths({"exp"});
    Requirement require;
    std::optional<DecryptionRules> decryption;
    std::vector<std::string> token_types{"at+jwt", "jwt"};  // lower case, without application/
    bool reject_id_tokens = true;
    milliseconds max_lifetime{0};  // 0: unlimited
    RevocationClaims revocation_claims;
    std::vector<ClaimHeader> claim_headers;
};

}  // namespace signet::policy
