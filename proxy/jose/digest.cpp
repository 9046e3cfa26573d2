#include "jose/digest.hpp"

#include <openssl/crypto.h>

#include "base/text.hpp"
#include "jose/openssl.hpp"

namespace signet::jose {

std::string sha256_hex(std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
    return to_hex({reinterpret_cast<const char*>(digest), size});
}

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION); }

}  // namespace signet::jose
