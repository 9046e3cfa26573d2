#include "jose/verification_key.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>
#include <cstring>

#include "jose/base64url.hpp"
#include "jose/certificate.hpp"
#include "jose/ml_dsa.hpp"
#include "jose/native_key.hpp"

namespace signet::jose {
namespace {

constexpr int min_rsa_bits = 2048;
constexpr int max_rsa_bits = 8192;

const EVP_MD* digest_of(Algorithm a) {
    // Fetched once; an implicit fetch for each verification costs more than the hash itself.
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
    static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
    switch (a) {
        case Algorithm::RS256:
        case Algorithm::PS256:
        case Algorithm::ES256:
        case Algorithm::ES256K:
        case Algorithm::HS256:
            return sha256;
        case Algorithm::RS384:
        case Algorithm::PS384:
        case Algorithm::ES384:
        case Algorithm::HS384:
            return sha384;
        case Algorithm::RS512:
        case Algorithm::PS512:
        case Algorithm::ES512:
        case Algorithm::HS512:
            return sha512;
        case Algorithm::EdDSA:
        case Algorithm::Ed25519:
        case Algorithm::Ed448:
        case Algorithm::ML_DSA_44:
        case Algorithm::ML_DSA_65:
        case Algorithm::ML_DSA_87:
            break;
    }
    return nullptr;
}

AlgorithmSet algorithms_for(KeyType type) {
    switch (type) {
        case KeyType::rsa:
            return {Algorithm::RS256, Algorithm::RS384, Algorithm::RS512,
                    Algorithm::PS256, Algorithm::PS384, Algorithm::PS512};
        case KeyType::p256:
            return {Algorithm::ES256};
        case KeyType::p384:
            return {Algorithm::ES384};
        case KeyType::p521:
            return {Algorithm::ES512};
        case KeyType::secp256k1:
            return {Algorithm::ES256K};
        case KeyType::ed25519:
            return {Algorithm::EdDSA, Algorithm::Ed25519};
        case KeyType::ed448:
            return {Algorithm::EdDSA, Algorithm::Ed448};
        case KeyType::ml_dsa_44:
            return {Algorithm::ML_DSA_44};
        case KeyType::ml_dsa_65:
            return {Algorithm::ML_DSA_65};
        case KeyType::ml_dsa_87:
            return {Algorithm::ML_DSA_87};
        case KeyType::secret:
            break;
    }
    return {};
}

struct Curve {
    std::string_view jwk_name;
    std::string_view openssl_name;
    KeyType type;
    std::size_t coordinate;  // bytes (RFC 7518 §6.2.1.2)
};

constexpr std::array<Curve, 4> curves{{{"P-256", "prime256v1", KeyType::p256, 32},
                                       {"P-384", "secp384r1", KeyType::p384, 48},
                                       {"P-521", "secp521r1", KeyType::p521, 66},
                                       {"secp256k1", "secp256k1", KeyType::secp256k1, 32}}};

constexpr std::pair<Algorithm, KeyType> ml_dsa_types[] = {{Algorithm::ML_DSA_44, KeyType::ml_dsa_44},
                                                          {Algorithm::ML_DSA_65, KeyType::ml_dsa_65},
                                                          {Algorithm::ML_DSA_87, KeyType::ml_dsa_87}};

std::size_t ecdsa_half(KeyType type) {
    for (const auto& c : curves)
        if (c.type == type) return c.coordinate;
    return 0;
}

// ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } from r || s of `half` bytes each. The caller has
// checked the length, so the longest form (P-521: 2 * (3 + 66) + 3) always fits.
struct DerSignature {
    std::array<unsigned char, 144> bytes;
    std::size_t size = 0;
};

std::size_t put_integer(unsigned char* out, std::string_view value) {
    while (value.size() > 1 && value.front() == '\0') value.remove_prefix(1);
    const bool pad = (static_cast<unsigned char>(value.front()) & 0x80) != 0;
    std::size_t n = 0;
    out[n++] = 0x02;
    out[n++] = static_cast<unsigned char>(value.size() + (pad ? 1 : 0));
    if (pad) out[n++] = 0;
    std::memcpy(out + n, value.data(), value.size());
    return n + value.size();
}

DerSignature to_der(std::string_view raw, std::size_t half) {
    std::array<unsigned char, 140> body;
    std::size_t n = put_integer(body.data(), raw.substr(0, half));
    n += put_integer(body.data() + n, raw.substr(half));
    DerSignature der;
    der.bytes[der.size++] = 0x30;
    if (n >= 0x80) der.bytes[der.size++] = 0x81;
    der.bytes[der.size++] = static_cast<unsigned char>(n);
    std::memcpy(der.bytes.data() + der.size, body.data(), n);
    der.size += n;
    return der;
}

result<std::string> binary_member(const json::Value& jwk, std::string_view name) {
    const auto member = jwk.find(name);
    if (!member) return fault("member " + std::string(name) + " is missing");
    const auto text = member->string();
    if (!text) return fault("member " + std::string(name) + " is not a string");
    auto decoded = decode_base64url(*text);
    if (!decoded || decoded->empty()) return fault("member " + std::string(name) + " is not base64url");
    return std::move(*decoded);
}

// RFC 7517 §4.2-4.3: a key meant for something else is not ours to verify with.
std::optional<Fault> check_purpose(const json::Value& jwk) {
    if (const auto use = jwk.find("use"))
        if (use->string() != "sig") return fault("its use is not sig");
    if (const auto operations = jwk.find("key_ops")) {
        if (!operations->is_array()) return fault("its key_ops is not an array");
        bool verifies = false;
        operations->each_element([&](const json::Value& v) { return !(verifies = v.string() == "verify"); });
        if (!verifies) return fault("its key_ops does not name verify");
    }
    return std::nullopt;
}

result<KeyPtr> native_from_jwk(const json::Value& jwk, std::optional<Algorithm> declared) {
    const auto kty = jwk.find("kty");
    if (!kty || !kty->string()) return fault("kty is missing");
    if (kty->string() == "RSA") {
        const auto n = binary_member(jwk, "n"), e = binary_member(jwk, "e");
        if (!n) return n.error();
        if (!e) return e.error();
        if (n->size() > max_rsa_bits / 8 + 1) return fault("RSA longer than 8192 bits");
        if (e->size() > 8) return fault("an RSA exponent longer than 64 bits");
        return make_rsa(*n, *e);
    }
    const auto crv = jwk.find("crv");
    const std::string_view curve = crv && crv->string() ? *crv->string() : std::string_view{};
    if (kty->string() == "EC") {
        for (const auto& c : curves) {
            if (c.jwk_name != curve) continue;
            const auto x = binary_member(jwk, "x"), y = binary_member(jwk, "y");
            if (!x) return x.error();
            if (!y) return y.error();
            if (x->size() != c.coordinate || y->size() != c.coordinate)
                return fault("its coordinates have not the length of the curve");
            return make_ec(c.openssl_name, std::string(1, '\x04') + *x + *y);
        }
        return fault("curve " + std::string(curve) + " is not supported");
    }
    if (kty->string() == "OKP") {
        const int id = curve == "Ed25519" ? EVP_PKEY_ED25519 : curve == "Ed448" ? EVP_PKEY_ED448 : 0;
        if (id == 0) return fault("curve " + std::string(curve) + " is not for signatures");
        const auto x = binary_member(jwk, "x");
        if (!x) return x.error();
        return make_okp(id, *x);
    }
    if (kty->string() == "AKP" && has_ml_dsa()) {
        // Nothing else says what pub holds (RFC 9964 §3).
        if (!declared) return fault("alg is missing");
        if (!is_ml_dsa(*declared))
            return fault("its alg " + std::string(name_of(*declared)) + " does not fit its kty");
        const auto pub = binary_member(jwk, "pub");
        if (!pub) return pub.error();
        return make_ml_dsa(*declared, *pub);
    }
    if (kty->string() == "oct") return fault("a symmetric key; name it as secret_file instead");
    return fault("kty " + std::string(*kty->string()) + " is not supported");
}

std::optional<Fault> check_rsa(EVP_PKEY* key) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < min_rsa_bits) return fault("RSA shorter than 2048 bits");
    if (bits > max_rsa_bits) return fault("RSA longer than 8192 bits");
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return fault("no RSA exponent");
    const NumberPtr e(raw);
    if (!BN_is_odd(e.get()) || BN_num_bits(e.get()) < 2) return fault("an RSA exponent that signs nothing");
    raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &raw) != 1) return fault("no RSA modulus");
    const NumberPtr n(raw);
    if (!BN_is_odd(n.get())) return fault("an even RSA modulus");
    return std::nullopt;
}

std::optional<KeyType> type_of(EVP_PKEY* key) {
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
            return KeyType::rsa;
        case EVP_PKEY_ED25519:
            return KeyType::ed25519;
        case EVP_PKEY_ED448:
            return KeyType::ed448;
        case EVP_PKEY_EC: {
            char group[64];
            std::size_t length = 0;
            if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return std::nullopt;
            for (const auto& c : curves)
                if (c.openssl_name == std::string_view(group, length)) return c.type;
            return std::nullopt;
        }
        default:  // OpenSSL has no number of the old kind for these
            for (const auto& [a, type] : ml_dsa_types)
                if (has_ml_dsa() && EVP_PKEY_is_a(key, name_of(a).data()) == 1) return type;
            return std::nullopt;
    }
}

EVP_MD_CTX* thread_digest_context() {
    thread_local const DigestContextPtr context(EVP_MD_CTX_new());
    if (context) EVP_MD_CTX_reset(context.get());
    return context.get();
}

}  // namespace

std::string_view kty_of(KeyType type) {
    switch (type) {
        case KeyType::rsa:
            return "RSA";
        case KeyType::p256:
        case KeyType::p384:
        case KeyType::p521:
        case KeyType::secp256k1:
            return "EC";
        case KeyType::ed25519:
        case KeyType::ed448:
            return "OKP";
        case KeyType::ml_dsa_44:
        case KeyType::ml_dsa_65:
        case KeyType::ml_dsa_87:
            return "AKP";
        case KeyType::secret:
            break;
    }
    return "oct";
}

VerificationKey::VerificationKey(KeyType type, std::unique_ptr<Native> native, AlgorithmSet algorithms)
    : type_(type), native_(std::move(native)), algorithms_(algorithms) {}
VerificationKey::VerificationKey(VerificationKey&&) noexcept = default;
VerificationKey& VerificationKey::operator=(VerificationKey&&) noexcept = default;
VerificationKey::~VerificationKey() {
    if (!secret_.empty()) OPENSSL_cleanse(secret_.data(), secret_.size());
}

result<VerificationKey> VerificationKey::build(std::unique_ptr<Native> native) {
    if (!native || !native->key)
        return fault("OpenSSL refuses its numbers (a point off the curve, or a wrong length)");
    const auto type = type_of(native->key.get());
    if (!type) return fault("a kind of key that verifies no supported algorithm");
    if (*type == KeyType::rsa) {
        if (auto wrong = check_rsa(native->key.get())) return *wrong;
    } else if (!is_sound(native->key.get())) {
        return fault("its point is not on the curve");
    }
    return VerificationKey(*type, std::move(native), algorithms_for(*type));
}

result<VerificationKey> VerificationKey::from_native(std::unique_ptr<Native> native) {
    return build(std::move(native));
}

result<VerificationKey> VerificationKey::from_jwk(const json::Value& jwk) {
    if (!jwk.is_object()) return fault("not a JSON object");
    if (auto wrong = check_purpose(jwk)) return *wrong;
    std::optional<Algorithm> declared;
    if (const auto alg = jwk.find("alg")) {
        if (!alg->string()) return fault("its alg is not a string");
        declared = algorithm_from(*alg->string());
        if (!declared)
            return fault("alg " + std::string(*alg->string()) + " is not supported" +
                         why_unknown(*alg->string()));
    }
    auto native_key = native_from_jwk(jwk, declared);
    if (!native_key) return native_key.error();
    if (auto wrong = check_certificate(jwk, native_key->get())) return *wrong;
    auto native = std::make_unique<Native>();
    native->key = std::move(*native_key);
    auto key = build(std::move(native));
    if (!key) return key;
    if (declared) {
        if (!key->algorithms_.has(*declared))
            return fault("its alg " + std::string(name_of(*declared)) + " does not fit its kty");
        key->declared_ = declared;
        // Ed25519 and EdDSA mean the same of one and the same key (RFC 9864 §2.2).
        if (!meant_by(Algorithm::EdDSA).has(*declared)) key->algorithms_ = AlgorithmSet{*declared};
    }
    if (const auto kid = jwk.find("kid")) {
        if (!kid->string()) return fault("its kid is not a string");
        key->kid_ = std::string(*kid->string());
    }
    if (const auto issuer = jwk.find("issuer"))
        if (issuer->string()) key->issuer_ = std::string(*issuer->string());
    key->use_ = jwk.find("use").has_value();
    return key;
}

result<VerificationKey> VerificationKey::from_secret(std::string_view secret) {
    AlgorithmSet fits;
    if (secret.size() >= 32) fits.add(Algorithm::HS256);
    if (secret.size() >= 48) fits.add(Algorithm::HS384);
    if (secret.size() >= 64) fits.add(Algorithm::HS512);
    if (fits.empty())
        return fault("the secret has " + std::to_string(secret.size()) +
                     " bytes; HS256 needs 32 at least (RFC 7518 section 3.2)");
    VerificationKey key(KeyType::secret, nullptr, fits);
    key.secret_ = secret;
    return key;
}

bool VerificationKey::verify_hmac(Algorithm a, std::string_view input, std::string_view signature) const {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (HMAC(digest_of(a), secret_.data(), static_cast<int>(secret_.size()), bytes(input.data()),
             input.size(), mac, &size) == nullptr)
        return false;
    return signature.size() == size && CRYPTO_memcmp(signature.data(), mac, size) == 0;
}

bool VerificationKey::verify(Algorithm a, std::string_view input, std::string_view signature) const {
    if (!algorithms_.has(a)) return false;
    if (type_ == KeyType::secret) return is_hmac(a) && verify_hmac(a, input, signature);
    EVP_PKEY* const key = native_->key.get();

    const std::size_t half = ecdsa_half(type_);
    DerSignature der;
    const unsigned char* bytes_to_check = bytes(signature.data());
    std::size_t size_to_check = signature.size();
    if (half != 0) {
        if (signature.size() != 2 * half) return false;  // before DER is made: its room is fixed
        der = to_der(signature, half);
        bytes_to_check = der.bytes.data();
        size_to_check = der.size;
    } else if (type_ == KeyType::rsa &&
               signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key))) {
        return false;  // RFC 8017 §8.1.2 step 1, §8.2.2 step 1
    }

    EVP_MD_CTX* const context = thread_digest_context();
    if (context == nullptr) return false;
    EVP_PKEY_CTX* key_context = nullptr;  // owned by the digest context
    bool good = EVP_DigestVerifyInit(context, &key_context, digest_of(a), nullptr, key) == 1;
    if (good && a >= Algorithm::PS256 && a <= Algorithm::PS512)
        good = EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1;  // RFC 7518 §3.5
    good = good &&
           EVP_DigestVerify(context, bytes_to_check, size_to_check, bytes(input.data()), input.size()) == 1;
    if (!good) ERR_clear_error();
    return good;
}

}  // namespace signet::jose
