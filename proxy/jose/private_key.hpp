// Private keys from their JWK (RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2). Private to the room.
#pragma once

#include <array>

#include "base/json.hpp"
#include "jose/openssl.hpp"

namespace signet::jose {

struct RsaPart {
    const char* jwk;
    const char* openssl;
};
extern const std::array<RsaPart, 8> rsa_parts;  // n, e, and the private ones

// A member's bytes; empty: absent, no string, or no canonical base64url.
std::string binary_or_empty(const json::Value& jwk, const char* name);

// nullptr: a part is missing (the primes and their kin are needed), of a wrong length, or OpenSSL refuses it.
KeyPtr private_rsa(const json::Value& jwk);
KeyPtr private_ec(const json::Value& jwk, const char* group, std::size_t coordinate);  // bytes
KeyPtr private_x25519(const json::Value& jwk);

// Do the private and the public half belong together, and is the public one sound?
bool is_whole(EVP_PKEY* key);

}  // namespace signet::jose
