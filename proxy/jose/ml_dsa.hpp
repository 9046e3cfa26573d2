// ML-DSA (FIPS 204) by OpenSSL 3.5 and later; private to the room. Pure, with an empty context (RFC 9964 §5),
// which is what OpenSSL does unasked.
#pragma once

#include <string>
#include <string_view>

#include "jose/algorithm.hpp"
#include "jose/openssl.hpp"

namespace signet::jose {

inline constexpr std::size_t ml_dsa_seed_bytes = 32;  // RFC 9964 §4

// nullptr: `pub` has not the length of the algorithm, or OpenSSL lacks it.
KeyPtr make_ml_dsa(Algorithm a, std::string_view pub);
// FIPS 204's KeyGen: the seed is the whole private key. nullptr as above.
KeyPtr ml_dsa_from_seed(Algorithm a, std::string_view seed);
// The raw public key, FIPS 204 §5.3; empty on an error.
std::string ml_dsa_public(const EVP_PKEY* key);

}  // namespace signet::jose
