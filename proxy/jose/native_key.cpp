#include "jose/native_key.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

namespace signet::jose {
namespace {

using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, OpensslDeleter<OSSL_PARAM_free>>;

NumberPtr number(std::string_view big_endian) {
    return NumberPtr(BN_bin2bn(bytes(big_endian.data()), static_cast<int>(big_endian.size()), nullptr));
}

KeyPtr from_params(const char* type, OSSL_PARAM_BLD* builder) {
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return KeyPtr(key);
}

}  // namespace

KeyPtr make_rsa(std::string_view n, std::string_view e) {
    const auto modulus = number(n), exponent = number(e);
    const BuilderPtr builder(OSSL_PARAM_BLD_new());
    if (!modulus || !exponent || !builder ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        return nullptr;
    return from_params("RSA", builder.get());
}

KeyPtr make_ec(std::string_view curve_name, std::string_view point) {
    const std::string curve(curve_name);
    const BuilderPtr builder(OSSL_PARAM_BLD_new());
    if (!builder ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
        return nullptr;
    return from_params("EC", builder.get());
}

KeyPtr make_okp(int evp_id, std::string_view x) {
    KeyPtr key(EVP_PKEY_new_raw_public_key(evp_id, nullptr, bytes(x.data()), x.size()));
    if (!key) ERR_clear_error();
    return key;
}

bool is_sound(EVP_PKEY* key) {
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    const bool sound = context && EVP_PKEY_public_check(context.get()) == 1;
    ERR_clear_error();
    return sound;
}

}  // namespace signet::jose
