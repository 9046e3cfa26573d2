// The OpenSSL side of VerificationKey; private to the room.
#pragma once

#include "jose/openssl.hpp"
#include "jose/verification_key.hpp"

namespace signet::jose {

struct VerificationKey::Native {
    KeyPtr key;
};

// A public key from its JWK numbers (raw big-endian bytes). nullptr when OpenSSL refuses them.
KeyPtr make_rsa(std::string_view n, std::string_view e);
KeyPtr make_ec(std::string_view curve_name, std::string_view point);  // 04 || x || y
KeyPtr make_okp(int evp_id, std::string_view x);

// Does the point lie on its curve, and is the key of this shape at all (EVP_PKEY_public_check).
bool is_sound(EVP_PKEY* key);

}  // namespace signet::jose
