// A private key (or a shared one) with the key management algorithms that it may serve, fixed when it was
// parsed: RSA, EC on P-256, P-384 and P-521, X25519, oct.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "jose/encrypted_token.hpp"

namespace signet::jose {

class DecryptionKey {
  public:
    // A private JWK. Refused: use other than enc, key_ops that do not decrypt, an alg that is unknown or does
    // not fit, a public key alone, halves that do not belong together, RSA outside 2048..8192 bits, an oct of
    // a length that no algorithm has.
    static result<DecryptionKey> from_jwk(const json::Value& jwk);

    DecryptionKey(DecryptionKey&&) noexcept;
    DecryptionKey& operator=(DecryptionKey&&) noexcept;
    ~DecryptionKey();

    [[nodiscard]] const std::optional<std::string>& kid() const { return kid_; }
    // The `dir` of a key that is bound to one enc fits that enc alone.
    [[nodiscard]] bool fits(KeyManagement a, ContentEncryption e) const;
    [[nodiscard]] bool is_same_as(const DecryptionKey& other) const;

    // Opens `token` into `plaintext`. False for every cause alike: an algorithm that is not this key's, a key
    // that was not wrapped for it, a tag that does not hold. Where the content's key cannot be had a random
    // one goes on in its place (RFC 7516 §11.5), so that no work tells which it was. Thread-safe.
    [[nodiscard]] bool decrypt(const EncryptedToken& token, std::string& plaintext) const;

  private:
    struct Native;  // EVP_PKEY, or the bytes of an oct
    explicit DecryptionKey(std::unique_ptr<Native> native);

    std::unique_ptr<Native> native_;
    KeyManagementSet algorithms_;
    std::optional<ContentEncryption> only_with_;
    std::optional<std::string> kid_;
};

// A set of private JWKs as JSON text; every key must be usable, since all of them are one's own.
result<std::vector<DecryptionKey>> parse_decryption_keys(std::string_view text);

}  // namespace signet::jose
