#include "jose/ml_dsa.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace signet::jose {

// The headers decide what this build promises; a library or a provider without ML-DSA can be loaded all the
// same.
bool has_ml_dsa() {
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
    static const bool found = [] {
        for (const auto a : {Algorithm::ML_DSA_44, Algorithm::ML_DSA_65, Algorithm::ML_DSA_87}) {
            EVP_SIGNATURE* const signature = EVP_SIGNATURE_fetch(nullptr, name_of(a).data(), nullptr);
            EVP_SIGNATURE_free(signature);
            ERR_clear_error();
            if (signature == nullptr) return false;
        }
        return true;
    }();
    return found;
#else
    return false;
#endif
}

// OpenSSL knows the three by their JOSE names; name_of() views literals, so a NUL follows.

KeyPtr make_ml_dsa(Algorithm a, std::string_view pub) {
    KeyPtr key(
        EVP_PKEY_new_raw_public_key_ex(nullptr, name_of(a).data(), nullptr, bytes(pub.data()), pub.size()));
    if (!key) ERR_clear_error();
    return key;
}

KeyPtr ml_dsa_from_seed(Algorithm a, std::string_view seed) {
    if (seed.size() != ml_dsa_seed_bytes) return nullptr;
    // The name of the parameter has a macro only where ML-DSA is.
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string("seed", const_cast<char*>(seed.data()), seed.size()),
        OSSL_PARAM_construct_end()};
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, name_of(a).data(), nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_params(context.get(), params) != 1 || EVP_PKEY_generate(context.get(), &key) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return KeyPtr(key);
}

std::string ml_dsa_public(const EVP_PKEY* key) {
    std::size_t size = 0;
    if (EVP_PKEY_get_raw_public_key(key, nullptr, &size) != 1) return {};
    std::string out(size, '\0');
    if (EVP_PKEY_get_raw_public_key(key, bytes(out.data()), &size) != 1) return {};
    return out;
}

}  // namespace signet::jose
