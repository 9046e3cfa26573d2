#include "jose/content_cipher.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <climits>
#include <cstring>
#include <stdexcept>

#include "jose/openssl.hpp"

namespace signet::jose {
namespace {

using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslDeleter<EVP_CIPHER_CTX_free>>;

const EVP_CIPHER* by_key_size(std::size_t size, const EVP_CIPHER* of16, const EVP_CIPHER* of24,
                              const EVP_CIPHER* of32) {
    return size == 16 ? of16 : size == 24 ? of24 : size == 32 ? of32 : nullptr;
}

bool good(bool outcome) {
    if (!outcome) ERR_clear_error();
    return outcome;
}

// MAC_KEY || ENC_KEY (§5.2.2.1). The MAC is compared before anything is decrypted: a padding says nothing.
bool open_cbc(const EncryptedToken& token, std::string_view key, std::string& plaintext) {
    const std::size_t half = key.size() / 2;
    if (token.iv.size() != 16 || token.tag.size() != half || token.ciphertext.size() % 16 != 0) return false;
    const EVP_MD* const digest = half == 16 ? EVP_sha256() : half == 24 ? EVP_sha384() : EVP_sha512();
    std::string input;
    input.reserve(token.authenticated.size() + token.iv.size() + token.ciphertext.size() + 8);
    input.append(token.authenticated).append(token.iv).append(token.ciphertext);
    const auto bits = static_cast<std::uint64_t>(token.authenticated.size()) * 8;
    for (int shift = 56; shift >= 0; shift -= 8) input += static_cast<char>(bits >> shift & 0xff);
    unsigned char mac[EVP_MAX_MD_SIZE];
    if (HMAC(digest, key.data(), static_cast<int>(half), bytes(input.data()), input.size(), mac, nullptr) ==
        nullptr)
        return good(false);
    if (CRYPTO_memcmp(mac, token.tag.data(), half) != 0) return false;

    const CipherContextPtr context(EVP_CIPHER_CTX_new());
    plaintext.resize(token.ciphertext.size() + 16);
    int first = 0, last = 0;
    const bool opened =
        context &&
        EVP_DecryptInit_ex(context.get(),
                           by_key_size(half, EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc()),
                           nullptr, bytes(key.data() + half), bytes(token.iv.data())) == 1 &&
        EVP_DecryptUpdate(context.get(), bytes(plaintext.data()), &first, bytes(token.ciphertext.data()),
                          static_cast<int>(token.ciphertext.size())) == 1 &&
        EVP_DecryptFinal_ex(context.get(), bytes(plaintext.data() + first), &last) == 1;
    plaintext.resize(opened ? static_cast<std::size_t>(first + last) : 0);
    return good(opened);
}

}  // namespace

SecretKey::~SecretKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

void SecretKey::assign(std::string_view from) { std::memcpy(prepare(from.size()), from.data(), from.size()); }

void SecretKey::randomise(std::size_t size) {
    if (RAND_bytes(bytes(prepare(size)), static_cast<int>(size)) != 1)
        throw std::runtime_error("no random bytes: " + openssl_error());
}

bool unwrap_aes(std::string_view key, std::string_view wrapped, std::size_t size, SecretKey& out) {
    if (wrapped.size() != size + 8) return false;
    const CipherContextPtr context(EVP_CIPHER_CTX_new());
    if (!context) return false;
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    std::array<unsigned char, 64 + 16> room;  // OpenSSL may write a block more than the key
    int written = 0;
    const bool unwrapped = EVP_DecryptInit_ex(context.get(),
                                              by_key_size(key.size(), EVP_aes_128_wrap(), EVP_aes_192_wrap(),
                                                          EVP_aes_256_wrap()),
                                              nullptr, bytes(key.data()), nullptr) == 1 &&
                           EVP_DecryptUpdate(context.get(), room.data(), &written, bytes(wrapped.data()),
                                             static_cast<int>(wrapped.size())) == 1 &&
                           static_cast<std::size_t>(written) == size;
    if (unwrapped) out.assign({reinterpret_cast<const char*>(room.data()), size});
    OPENSSL_cleanse(room.data(), room.size());
    return good(unwrapped);
}

bool open_gcm(std::string_view key, std::string_view iv, std::string_view authenticated,
              std::string_view ciphertext, std::string_view tag, char* out) {
    if (iv.size() != 12 || tag.size() != 16) return false;
    std::array<unsigned char, 16> expected;
    std::memcpy(expected.data(), tag.data(), expected.size());
    const CipherContextPtr context(EVP_CIPHER_CTX_new());
    int written = 0, rest = 0;
    unsigned char none[16];
    return good(
        context &&
        EVP_DecryptInit_ex(context.get(),
                           by_key_size(key.size(), EVP_aes_128_gcm(), EVP_aes_192_gcm(), EVP_aes_256_gcm()),
                           nullptr, bytes(key.data()), bytes(iv.data())) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &written, bytes(authenticated.data()),
                          static_cast<int>(authenticated.size())) == 1 &&
        EVP_DecryptUpdate(context.get(), bytes(out), &written, bytes(ciphertext.data()),
                          static_cast<int>(ciphertext.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, expected.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), none, &rest) == 1);
}

bool open_content(const EncryptedToken& token, std::string_view key, std::string& plaintext) {
    if (!token.encryption || key.size() != content_key_size(*token.encryption)) return false;
    if (token.ciphertext.size() > INT_MAX / 2) return false;
    if (is_cbc(*token.encryption)) return open_cbc(token, key, plaintext);
    plaintext.resize(token.ciphertext.size());
    const bool opened =
        open_gcm(key, token.iv, token.authenticated, token.ciphertext, token.tag, plaintext.data());
    if (!opened) plaintext.clear();
    return opened;
}

}  // namespace signet::jose
