// The certificate that a JWK may carry beside its numbers. Private to the room.
#pragma once

#include <optional>

#include "base/json.hpp"
#include "base/result.hpp"
#include "jose/openssl.hpp"

namespace signet::jose {

// Where the JWK has x5c: its first certificate must hold this very key (RFC 7517 §4.7), and x5t#S256, where
// that is there too, must be its digest (§4.9). A set that contradicts itself was put together wrongly or
// tampered with. The chain is not judged and nothing is fetched: the key is trusted for the set it came in.
// nullopt: all is well.
std::optional<Fault> check_certificate(const json::Value& jwk, const EVP_PKEY* key);

}  // namespace signet::jose
