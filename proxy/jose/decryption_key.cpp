#include "jose/decryption_key.hpp"

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "jose/base64url.hpp"
#include "jose/content_cipher.hpp"
#include "jose/key_set.hpp"
#include "jose/native_key.hpp"
#include "jose/private_key.hpp"

namespace signet::jose {

struct DecryptionKey::Native {
    KeyPtr key;          // all but oct
    std::string secret;  // oct
    std::string_view curve;
    std::size_t coordinate = 0;  // bytes; EC

    ~Native() { OPENSSL_cleanse(secret.data(), secret.size()); }

    bool content_key(const EncryptedToken& token, SecretKey& out) const;
    bool from_rsa(const EncryptedToken& token, std::size_t size, SecretKey& out) const;
    bool agree(const EncryptedToken& token, std::size_t size, std::string_view algorithm,
               SecretKey& out) const;
    [[nodiscard]] KeyPtr ephemeral(const json::Value& header) const;
};

namespace {

using enum KeyManagement;

struct Curve {
    std::string_view jwk_name;
    const char* group;
    std::size_t coordinate;
};
constexpr std::array<Curve, 3> curves{
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};

constexpr KeyManagementSet for_rsa{RSA_OAEP, RSA_OAEP_256};
constexpr KeyManagementSet for_agreement{ECDH_ES, ECDH_ES_A128KW, ECDH_ES_A192KW, ECDH_ES_A256KW};

KeyManagementSet for_secret(std::size_t size) {
    KeyManagementSet out;
    for (const auto a : {A128KW, A192KW, A256KW, A128GCMKW, A192GCMKW, A256GCMKW})
        if (wrapping_key_size(a) == size) out.add(a);
    for (const auto size_of_direct : {16u, 24u, 32u, 48u, 64u})
        if (size == size_of_direct) out.add(dir);
    return out;
}

std::string text_member(const json::Value& object, const char* name) {
    const auto value = object.find(name);
    const auto text = value ? value->string() : std::nullopt;
    return std::string(text.value_or(std::string_view{}));
}

std::optional<Fault> check_purpose(const json::Value& jwk) {
    if (const auto use = jwk.find("use"); use && use->string() != "enc") return fault("its use is not enc");
    const auto operations = jwk.find("key_ops");
    if (!operations) return std::nullopt;
    bool decrypts = false;
    operations->each_element([&](const json::Value& v) {
        for (const auto* name : {"decrypt", "unwrapKey", "deriveKey", "deriveBits"})
            decrypts = decrypts || v.string() == name;
        return !decrypts;
    });
    if (!decrypts) return fault("its key_ops names nothing that decrypts");
    return std::nullopt;
}

std::string big_endian(std::size_t n) {
    std::string out(4, '\0');
    for (int i = 0; i < 4; ++i)
        out[static_cast<std::size_t>(i)] = static_cast<char>(n >> (24 - 8 * i) & 0xff);
    return out;
}

// The single-step KDF of NIST SP 800-56A with SHA-256 (RFC 7518 §4.6.2).
bool concat_kdf(std::string_view z, std::string_view algorithm, std::string_view apu, std::string_view apv,
                std::size_t size, SecretKey& out) {
    std::string info;
    for (const auto part : {algorithm, apu, apv}) info.append(big_endian(part.size())).append(part);
    info += big_endian(size * 8);
    std::array<char, 64> derived;
    bool good = true;
    for (std::size_t round = 0; round * 32 < size; ++round) {
        std::string input;
        input.reserve(4 + z.size() + info.size());  // no copy of z is left behind
        input += big_endian(round + 1);
        input.append(z).append(info);
        const bool hashed = EVP_Digest(input.data(), input.size(), bytes(derived.data() + round * 32),
                                       nullptr, EVP_sha256(), nullptr) == 1;
        OPENSSL_cleanse(input.data(), input.size());
        good = good && hashed;
    }
    if (good) out.assign({derived.data(), size});
    OPENSSL_cleanse(derived.data(), derived.size());
    return good;
}

// Do the halves of an RSA key belong together? Asked by using them: OpenSSL's own check looks for primes,
// which takes seconds for a long key.
bool opens_its_own(EVP_PKEY* key) {
    const std::string secret = "a key is tried on this";
    std::string sealed(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0'), opened = sealed;
    std::size_t sealed_size = sealed.size(), opened_size = opened.size();
    const KeyContextPtr in(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    const KeyContextPtr out(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    const bool worked = in && out && EVP_PKEY_encrypt_init(in.get()) == 1 &&
                        EVP_PKEY_CTX_set_rsa_padding(in.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                        EVP_PKEY_encrypt(in.get(), bytes(sealed.data()), &sealed_size, bytes(secret.data()),
                                         secret.size()) == 1 &&
                        EVP_PKEY_decrypt_init(out.get()) == 1 &&
                        EVP_PKEY_CTX_set_rsa_padding(out.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                        EVP_PKEY_decrypt(out.get(), bytes(opened.data()), &opened_size, bytes(sealed.data()),
                                         sealed_size) == 1;
    ERR_clear_error();
    return worked && std::string_view(opened).substr(0, opened_size) == secret;
}

// apu and apv: absent counts as empty; present, they are canonical base64url (RFC 7518 §4.6.1).
std::optional<std::string> party(const json::Value& header, const char* name) {
    const auto value = header.find(name);
    if (!value) return std::string{};
    const auto text = value->string();
    return text ? decode_base64url(*text) : std::nullopt;
}

}  // namespace

bool DecryptionKey::Native::from_rsa(const EncryptedToken& token, std::size_t size, SecretKey& out) const {
    if (token.encrypted_key.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.get()))) return false;
    const EVP_MD* const digest = token.algorithm == RSA_OAEP ? EVP_sha1() : EVP_sha256();
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    std::string room(token.encrypted_key.size(), '\0');
    std::size_t written = room.size();
    const bool opened =
        context && EVP_PKEY_decrypt_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), digest) == 1 &&
        EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), digest) == 1 &&
        EVP_PKEY_decrypt(context.get(), bytes(room.data()), &written, bytes(token.encrypted_key.data()),
                         token.encrypted_key.size()) == 1 &&
        written == size;
    if (opened) out.assign({room.data(), size});
    OPENSSL_cleanse(room.data(), room.size());
    if (!opened) ERR_clear_error();
    return opened;
}

// The sender's ephemeral key; nullptr unless it is meant for this key's own curve.
KeyPtr DecryptionKey::Native::ephemeral(const json::Value& header) const {
    const auto epk = header.find("epk");
    if (!epk || !epk->is_object() || text_member(*epk, "crv") != curve) return nullptr;
    const auto x = binary_or_empty(*epk, "x");
    if (coordinate == 0) {
        if (text_member(*epk, "kty") != "OKP" || x.size() != 32) return nullptr;
        return make_okp(EVP_PKEY_X25519, x);
    }
    const auto y = binary_or_empty(*epk, "y");
    if (text_member(*epk, "kty") != "EC" || x.size() != coordinate || y.size() != coordinate) return nullptr;
    const auto own = std::ranges::find(curves, curve, &Curve::jwk_name);
    return make_ec(own->group, std::string(1, '\x04') + x + y);
}

bool DecryptionKey::Native::agree(const EncryptedToken& token, std::size_t size, std::string_view algorithm,
                                  SecretKey& out) const {
    const auto apu = party(token.header, "apu"), apv = party(token.header, "apv");
    const auto theirs = ephemeral(token.header);
    if (!apu || !apv || !theirs) return false;
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    std::array<char, 66> z;
    std::size_t length = z.size();
    const bool agreed = context && EVP_PKEY_derive_init(context.get()) == 1 &&
                        // Validated: a point off the curve would give the private key away, bit by bit.
                        EVP_PKEY_derive_set_peer_ex(context.get(), theirs.get(), 1) == 1 &&
                        EVP_PKEY_derive(context.get(), bytes(z.data()), &length) == 1 &&
                        concat_kdf({z.data(), length}, algorithm, *apu, *apv, size, out);
    OPENSSL_cleanse(z.data(), z.size());
    if (!agreed) ERR_clear_error();
    return agreed;
}

bool DecryptionKey::Native::content_key(const EncryptedToken& token, SecretKey& out) const {
    const auto a = *token.algorithm;
    const std::size_t size = content_key_size(*token.encryption);
    if (is_rsa(a)) return from_rsa(token, size, out);
    if (a == dir || a == ECDH_ES) {
        // No key is sent along, and none may be (RFC 7516 §5.2 step 10).
        if (!token.encrypted_key.empty()) return false;
        if (a == ECDH_ES) return agree(token, size, name_of(*token.encryption), out);
        if (secret.size() != size) return false;
        out.assign(secret);
        return true;
    }
    if (is_ecdh(a)) {
        SecretKey wrapping;
        return agree(token, wrapping_key_size(a), name_of(a), wrapping) &&
               unwrap_aes(wrapping.view(), token.encrypted_key, size, out);
    }
    if (!is_gcm_wrap(a)) return unwrap_aes(secret, token.encrypted_key, size, out);
    // RFC 7518 §4.7: iv and tag of the key stand in the header.
    if (token.encrypted_key.size() != size) return false;
    const bool opened = open_gcm(secret, binary_or_empty(token.header, "iv"), {}, token.encrypted_key,
                                 binary_or_empty(token.header, "tag"), out.prepare(size));
    if (!opened) out.randomise(size);  // what was written is not the key
    return opened;
}

DecryptionKey::DecryptionKey(std::unique_ptr<Native> native) : native_(std::move(native)) {}
DecryptionKey::DecryptionKey(DecryptionKey&&) noexcept = default;
DecryptionKey& DecryptionKey::operator=(DecryptionKey&&) noexcept = default;
DecryptionKey::~DecryptionKey() = default;

bool DecryptionKey::fits(KeyManagement a, ContentEncryption e) const {
    if (!algorithms_.has(a) || (only_with_ && *only_with_ != e)) return false;
    return a != dir || native_->secret.size() == content_key_size(e);
}

bool DecryptionKey::is_same_as(const DecryptionKey& other) const {
    if (native_->key && other.native_->key) {
        const bool same = EVP_PKEY_eq(native_->key.get(), other.native_->key.get()) == 1;
        ERR_clear_error();
        return same;
    }
    return !native_->key && !other.native_->key && native_->secret == other.native_->secret;
}

bool DecryptionKey::decrypt(const EncryptedToken& token, std::string& plaintext) const {
    if (!token.algorithm || !token.encryption || !fits(*token.algorithm, *token.encryption)) return false;
    SecretKey key;
    key.randomise(content_key_size(*token.encryption));
    const bool had = native_->content_key(token, key);
    const bool opened = open_content(token, key.view(), plaintext);
    if (had && opened) return true;
    plaintext.clear();
    return false;
}

result<DecryptionKey> DecryptionKey::from_jwk(const json::Value& jwk) {
    if (!jwk.is_object()) return fault("not a JSON object");
    if (auto wrong = check_purpose(jwk)) return *wrong;
    const auto kty = text_member(jwk, "kty"), crv = text_member(jwk, "crv");
    auto native = std::make_unique<Native>();
    KeyManagementSet algorithms;
    if (kty == "oct") {
        native->secret = binary_or_empty(jwk, "k");
        algorithms = for_secret(native->secret.size());
        if (algorithms.empty()) return fault("its k is missing, or of a length that no algorithm has");
    } else {
        if (!jwk.find("d")) return fault("it has no private half; decrypting needs one");
        if (kty == "RSA") {
            native->key = private_rsa(jwk);
            algorithms = for_rsa;
        } else if (const auto curve = std::ranges::find(curves, std::string_view(crv), &Curve::jwk_name);
                   kty == "EC" && curve != curves.end()) {
            native->curve = curve->jwk_name;
            native->coordinate = curve->coordinate;
            native->key = private_ec(jwk, curve->group, curve->coordinate);
            algorithms = for_agreement;
        } else if (kty == "OKP" && crv == "X25519") {
            native->curve = "X25519";
            native->key = private_x25519(jwk);
            algorithms = for_agreement;
        } else {
            return fault("kty " + kty + (crv.empty() ? "" : " with crv " + crv) + " is not supported");
        }
        if (!native->key || (native->coordinate != 0 && !is_whole(native->key.get())))
            return fault("its numbers are not those of a private key (or one is missing)");
        if (kty == "RSA") {
            const int bits = EVP_PKEY_get_bits(native->key.get());
            if (bits < 2048 || bits > 8192) return fault("RSA outside 2048 to 8192 bits");
            if (!opens_its_own(native->key.get())) return fault("the halves of it do not belong together");
        }
    }
    DecryptionKey key(std::move(native));
    key.algorithms_ = algorithms;
    if (const auto alg = jwk.find("alg")) {
        const auto name = alg->string().value_or(std::string_view{});
        const auto declared = key_management_from(name);
        // A key for `dir` may say what it encrypts with instead (RFC 7517 §4.4 leaves it open).
        key.only_with_ = content_encryption_from(name);
        if (!declared && !key.only_with_) return fault("alg " + std::string(name) + " is not supported");
        const auto only = declared.value_or(dir);
        if (!algorithms.has(only) ||
            (key.only_with_ && key.native_->secret.size() != content_key_size(*key.only_with_)))
            return fault("its alg " + std::string(name) + " does not fit it");
        key.algorithms_ = {only};
    }
    if (const auto kid = jwk.find("kid")) {
        if (!kid->string()) return fault("its kid is not a string");
        key.kid_ = std::string(*kid->string());
    }
    return key;
}

result<std::vector<DecryptionKey>> parse_decryption_keys(std::string_view text) {
    if (text.size() > max_key_set_bytes) return fault("the key set is larger than 256 KiB");
    json::Document document;
    const auto root = document.parse(text);
    if (!root) return fault("the key set is not strict JSON: " + root.error().message);
    const auto list = root->find("keys");
    if (!list || !list->is_array()) return fault("the key set has no array \"keys\"");
    if (list->size() == 0) return fault("the key set is empty");
    if (list->size() > max_keys) return fault("the key set has more than 100 keys");
    std::vector<DecryptionKey> keys;
    std::optional<Fault> wrong;
    list->each_element([&](const json::Value& jwk) {
        auto key = DecryptionKey::from_jwk(jwk);
        if (key)
            keys.push_back(std::move(*key));
        else
            wrong = fault("key " + std::to_string(keys.size() + 1) + ": " + key.error().message);
        return !wrong;
    });
    if (wrong) return *wrong;
    return keys;
}

}  // namespace signet::jose
