#include "jose/signing_key.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "jose/base64url.hpp"
#include "jose/ml_dsa.hpp"
#include "jose/openssl.hpp"
#include "jose/private_key.hpp"

namespace signet::jose {

struct SigningKey::Native {
    KeyPtr key;          // all but HMAC
    std::string secret;  // HMAC; the seed of ML-DSA
};

namespace {

using EcdsaPtr = std::unique_ptr<ECDSA_SIG, OpensslDeleter<ECDSA_SIG_free>>;

struct EcNames {
    const char* group;
    const char* crv;
    std::size_t coordinate;
};

EcNames ec_names(Algorithm a) {
    switch (a) {
        case Algorithm::ES384:
            return {"secp384r1", "P-384", 48};
        case Algorithm::ES512:
            return {"secp521r1", "P-521", 66};
        case Algorithm::ES256K:
            return {"secp256k1", "secp256k1", 32};
        default:
            return {"prime256v1", "P-256", 32};
    }
}

bool is_ec(Algorithm a) { return (a >= Algorithm::ES256 && a <= Algorithm::ES512) || a == Algorithm::ES256K; }
bool is_rsa(Algorithm a) { return a <= Algorithm::PS512; }

const EVP_MD* digest(Algorithm a) {
    const auto digits = name_of(a).substr(2, 3);
    return digits == "256"   ? EVP_sha256()
           : digits == "384" ? EVP_sha384()
           : digits == "512" ? EVP_sha512()
                             : nullptr;
}

std::string number_member(EVP_PKEY* key, const char* name, std::size_t width = 0) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
    const NumberPtr n(raw);
    std::string out(width != 0 ? width : static_cast<std::size_t>(BN_num_bytes(n.get())), '\0');
    BN_bn2binpad(n.get(), bytes(out.data()), static_cast<int>(out.size()));
    return encode_base64url(out);
}

}  // namespace

SigningKey::SigningKey(Algorithm a, std::string kid, std::unique_ptr<Native> native)
    : algorithm_(a), kid_(std::move(kid)), native_(std::move(native)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

result<SigningKey> SigningKey::generate(Algorithm a, std::string kid) {
    auto native = std::make_unique<Native>();
    if (is_hmac(a) || is_ml_dsa(a)) {
        native->secret.resize(is_hmac(a) ? static_cast<std::size_t>(EVP_MD_get_size(digest(a)))
                                         : ml_dsa_seed_bytes);
        if (RAND_bytes(bytes(native->secret.data()), static_cast<int>(native->secret.size())) != 1)
            return fault("no random bytes: " + openssl_error());
        if (is_hmac(a)) return SigningKey(a, std::move(kid), std::move(native));
    }
    if (is_ml_dsa(a))
        native->key = ml_dsa_from_seed(a, native->secret);
    else if (is_rsa(a))
        native->key.reset(EVP_RSA_gen(2048));
    else if (is_ec(a))
        native->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", const_cast<char*>(ec_names(a).group)));
    else
        native->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, a == Algorithm::Ed448 ? "ED448" : "ED25519"));
    if (!native->key) return fault("no key could be made: " + openssl_error());
    return SigningKey(a, std::move(kid), std::move(native));
}

result<SigningKey> SigningKey::from_jwk(std::string_view json_text) {
    json::Document document;
    const auto jwk = document.parse(json_text);
    if (!jwk || !jwk->is_object()) return fault("not a JWK in strict JSON");
    const auto alg = jwk->find("alg");
    const auto name = alg ? alg->string() : std::nullopt;
    const auto a = name ? algorithm_from(*name) : std::nullopt;
    if (!a) return fault("the JWK names no supported alg" + (name ? why_unknown(*name) : std::string{}));
    const auto kid = jwk->find("kid");
    auto native = std::make_unique<Native>();
    if (is_hmac(*a)) {
        native->secret = binary_or_empty(*jwk, "k");
        if (native->secret.empty()) return fault("the JWK has no k");
    } else {
        if (is_rsa(*a)) {
            native->key = private_rsa(*jwk);
        } else if (is_ec(*a)) {
            const auto names = ec_names(*a);
            native->key = private_ec(*jwk, names.group, names.coordinate);
        } else if (is_ml_dsa(*a)) {
            native->secret = binary_or_empty(*jwk, "priv");
            native->key = ml_dsa_from_seed(*a, native->secret);
            // RFC 9964 §7.4: a pub of another key would be published beside what this one signs.
            if (native->key && ml_dsa_public(native->key.get()) != binary_or_empty(*jwk, "pub"))
                native->key.reset();
        } else {
            const auto d = binary_or_empty(*jwk, "d");
            const int id = d.size() == 57 ? EVP_PKEY_ED448 : EVP_PKEY_ED25519;
            native->key.reset(EVP_PKEY_new_raw_private_key(id, nullptr, bytes(d.data()), d.size()));
        }
        if (!native->key) {
            ERR_clear_error();
            return fault("the JWK is no whole private key for " + std::string(name_of(*a)));
        }
    }
    return SigningKey(*a, kid && kid->string() ? std::string(*kid->string()) : std::string{},
                      std::move(native));
}

std::string SigningKey::jwk(bool with_private) const {
    std::string out;
    json::Writer w(out);
    w.object();
    EVP_PKEY* const key = native_->key.get();
    if (is_hmac(algorithm_)) {
        w.member("kty", "oct");
        if (with_private) w.member("k", encode_base64url(native_->secret));
    } else if (is_rsa(algorithm_)) {
        w.member("kty", "RSA");
        for (const auto& part : rsa_parts)
            if (with_private || part.jwk[0] == 'n' || part.jwk[0] == 'e')
                w.member(part.jwk, number_member(key, part.openssl));
    } else if (is_ec(algorithm_)) {
        const auto names = ec_names(algorithm_);
        w.member("kty", "EC").member("crv", names.crv);
        w.member("x", number_member(key, OSSL_PKEY_PARAM_EC_PUB_X, names.coordinate));
        w.member("y", number_member(key, OSSL_PKEY_PARAM_EC_PUB_Y, names.coordinate));
        if (with_private) w.member("d", number_member(key, OSSL_PKEY_PARAM_PRIV_KEY, names.coordinate));
    } else if (is_ml_dsa(algorithm_)) {
        w.member("kty", "AKP").member("pub", encode_base64url(ml_dsa_public(key)));
        if (with_private) w.member("priv", encode_base64url(native_->secret));
    } else {
        char raw[64];
        std::size_t size = sizeof raw;
        EVP_PKEY_get_raw_public_key(key, bytes(raw), &size);
        w.member("kty", "OKP").member("crv", size == 57 ? "Ed448" : "Ed25519");
        w.member("x", encode_base64url({raw, size}));
        if (with_private) {
            size = sizeof raw;
            EVP_PKEY_get_raw_private_key(key, bytes(raw), &size);
            w.member("d", encode_base64url({raw, size}));
        }
    }
    w.member("alg", name_of(algorithm_)).member("use", "sig");
    if (!kid_.empty()) w.member("kid", kid_);
    w.end_object();
    return out;
}

std::string SigningKey::private_jwk() const { return jwk(true); }
std::string SigningKey::public_jwk_set() const { return "{\"keys\":[" + jwk(false) + "]}"; }

result<std::string> SigningKey::sign_bytes(std::string_view input) const {
    if (is_hmac(algorithm_)) {
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned int size = 0;
        HMAC(digest(algorithm_), native_->secret.data(), static_cast<int>(native_->secret.size()),
             bytes(input.data()), input.size(), mac, &size);
        return std::string(mac, mac + size);
    }
    const DigestContextPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key_context = nullptr;
    if (EVP_DigestSignInit(context.get(), &key_context, digest(algorithm_), nullptr, native_->key.get()) != 1)
        return fault("signing failed: " + openssl_error());
    if (algorithm_ >= Algorithm::PS256 && algorithm_ <= Algorithm::PS512) {
        EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST);
    }
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, bytes(input.data()), input.size());
    std::string out(size, '\0');
    if (EVP_DigestSign(context.get(), bytes(out.data()), &size, bytes(input.data()), input.size()) != 1)
        return fault("signing failed: " + openssl_error());
    out.resize(size);
    if (!is_ec(algorithm_)) return out;
    const unsigned char* at = bytes(out.data());
    const EcdsaPtr parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(out.size())));
    const auto half = ec_names(algorithm_).coordinate;
    std::string raw(2 * half, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), bytes(raw.data()), static_cast<int>(half));
    BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), bytes(raw.data()) + half, static_cast<int>(half));
    return raw;
}

result<std::string> SigningKey::sign(std::string_view payload_json, std::string_view typ) const {
    std::string header;
    json::Writer w(header);
    w.object().member("alg", name_of(algorithm_)).member("typ", typ);
    if (!kid_.empty()) w.member("kid", kid_);
    w.end_object();
    std::string token = encode_base64url(header) + "." + encode_base64url(payload_json);
    const auto signature = sign_bytes(token);
    if (!signature) return signature.error();
    token += '.';
    encode_base64url(*signature, token);
    return token;
}

}  // namespace signet::jose
