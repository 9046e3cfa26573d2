// The keys of one issuer, parsed (RFC 7517 §5). Immutable once made; shared between threads as const.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jose/verification_key.hpp"

namespace signet::jose {

// A key that was in the set and cannot serve: named, so that an operator sees it.
struct SkippedKey {
    std::string kid;
    std::string why;
};

struct KeySet {
    std::vector<VerificationKey> keys;
    std::vector<SkippedKey> skipped;
};

inline constexpr std::size_t max_key_set_bytes = 256 * 1024;
inline constexpr std::size_t max_keys = 100;

// A JWK set as JSON text. Unusable keys are skipped and named; a set without one usable key, over the limits,
// or that is no JWK set is a Fault, so that the caller keeps what it has.
result<KeySet> parse_jwk_set(std::string_view text);

// {"keys":[]}: somebody means to have none.
bool is_empty_set(std::string_view text);

// PEM public keys and certificates, one after the other; none of them has a kid. Private keys are refused
// with a word.
result<KeySet> parse_pem_keys(std::string_view text);

}  // namespace signet::jose
