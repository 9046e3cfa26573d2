#include "jose/private_key.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>

#include <vector>

#include "jose/base64url.hpp"

namespace signet::jose {
namespace {

using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, OpensslDeleter<OSSL_PARAM_free>>;

KeyPtr key_from(const char* type, OSSL_PARAM_BLD* builder) {
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return KeyPtr(key);
}

}  // namespace

const std::array<RsaPart, 8> rsa_parts{{{"n", OSSL_PKEY_PARAM_RSA_N},
                                        {"e", OSSL_PKEY_PARAM_RSA_E},
                                        {"d", OSSL_PKEY_PARAM_RSA_D},
                                        {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                                        {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                        {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};

std::string binary_or_empty(const json::Value& jwk, const char* name) {
    const auto value = jwk.find(name);
    const auto text = value ? value->string() : std::nullopt;
    auto decoded = text ? decode_base64url(*text) : std::nullopt;
    return decoded ? std::move(*decoded) : std::string{};
}

KeyPtr private_rsa(const json::Value& jwk) {
    const BuilderPtr builder(OSSL_PARAM_BLD_new());
    std::vector<NumberPtr> numbers;  // live until the parameters are made
    for (const auto& part : rsa_parts) {
        const auto text = binary_or_empty(jwk, part.jwk);
        if (text.empty() || text.size() > 1025) return nullptr;  // 8192 bits, and a leading zero
        numbers.emplace_back(BN_bin2bn(bytes(text.data()), static_cast<int>(text.size()), nullptr));
        if (!builder || !numbers.back() ||
            OSSL_PARAM_BLD_push_BN(builder.get(), part.openssl, numbers.back().get()) != 1)
            return nullptr;
    }
    return key_from("RSA", builder.get());
}

KeyPtr private_ec(const json::Value& jwk, const char* group, std::size_t coordinate) {
    const auto d = binary_or_empty(jwk, "d"), x = binary_or_empty(jwk, "x"), y = binary_or_empty(jwk, "y");
    if (d.empty() || d.size() > coordinate || x.size() != coordinate || y.size() != coordinate)
        return nullptr;
    const BuilderPtr builder(OSSL_PARAM_BLD_new());
    const NumberPtr scalar(BN_bin2bn(bytes(d.data()), static_cast<int>(d.size()), nullptr));
    const std::string point = std::string(1, '\x04') + x + y;
    if (!builder || !scalar ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) != 1)
        return nullptr;
    return key_from("EC", builder.get());
}

KeyPtr private_x25519(const json::Value& jwk) {
    const auto d = binary_or_empty(jwk, "d"), x = binary_or_empty(jwk, "x");
    KeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes(d.data()), d.size()));
    // OpenSSL works the public half out by itself: compared, since a set is made by hand sometimes.
    std::array<unsigned char, 32> own;
    std::size_t size = own.size();
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), own.data(), &size) != 1 || x.size() != size ||
        CRYPTO_memcmp(x.data(), own.data(), size) != 0) {
        ERR_clear_error();
        return nullptr;
    }
    return key;
}

bool is_whole(EVP_PKEY* key) {
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    const bool whole =
        context && EVP_PKEY_public_check(context.get()) == 1 && EVP_PKEY_pairwise_check(context.get()) == 1;
    ERR_clear_error();
    return whole;
}

}  // namespace signet::jose
