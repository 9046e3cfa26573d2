// A public key (or an HMAC secret) with the algorithms that it may verify, fixed when it was parsed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "jose/algorithm.hpp"

namespace signet::jose {

enum class KeyType : std::uint8_t {
    rsa,
    p256,
    p384,
    p521,
    secp256k1,
    ed25519,
    ed448,
    ml_dsa_44,
    ml_dsa_65,
    ml_dsa_87,
    secret
};

std::string_view kty_of(KeyType type);  // the JWK's word: RSA, EC, OKP, AKP, oct

class VerificationKey {
  public:
    // A JWK (RFC 7517, 7518 §6, 8037 §2, 9964 §3). Refused: use other than sig, key_ops without verify,
    // unknown kty or curve, an alg that is no string or does not fit, RSA outside 2048..8192 bits or with a
    // weak exponent, points off the curve, oct.
    static result<VerificationKey> from_jwk(const json::Value& jwk);

    // For HS256/384/512 whose hash is at most as long as the secret (RFC 7518 §3.2). Fault: shorter than 32
    // bytes.
    static result<VerificationKey> from_secret(std::string_view secret);

    // One PEM public key or certificate in DER, as `parse_pem_keys` in key_set.hpp found it.
    struct Native;  // wraps EVP_PKEY
    static result<VerificationKey> from_native(std::unique_ptr<Native> native);

    VerificationKey(VerificationKey&&) noexcept;
    VerificationKey& operator=(VerificationKey&&) noexcept;
    ~VerificationKey();

    [[nodiscard]] KeyType type() const { return type_; }
    [[nodiscard]] AlgorithmSet algorithms() const { return algorithms_; }
    [[nodiscard]] const std::optional<std::string>& kid() const { return kid_; }
    // A member of Microsoft's: the `iss` that it signs for, with {tenantid} in it where that is any tenant.
    [[nodiscard]] const std::optional<std::string>& issuer() const { return issuer_; }
    [[nodiscard]] const std::optional<Algorithm>& declared_algorithm() const { return declared_; }
    [[nodiscard]] bool declared_use() const { return use_; }  // `use` was there, so it was "sig"

    // Does `signature` (raw bytes, RFC 7518 §3.4 form for ECDSA) hold over `input`? False for an algorithm
    // that this key does not have, a signature of another length, and every error: only a positive answer is
    // `true`. Thread-safe; no allocation of ours.
    [[nodiscard]] bool verify(Algorithm a, std::string_view input, std::string_view signature) const;

  private:
    VerificationKey(KeyType type, std::unique_ptr<Native> native, AlgorithmSet algorithms);
    static result<VerificationKey> build(std::unique_ptr<Native> native);
    [[nodiscard]] bool verify_hmac(Algorithm a, std::string_view input, std::string_view signature) const;

    KeyType type_;
    std::unique_ptr<Native> native_;
    std::string secret_;
    AlgorithmSet algorithms_;
    std::optional<Algorithm> declared_;
    std::optional<std::string> kid_;
    std::optional<std::string> issuer_;
    bool use_ = false;
};

}  // namespace signet::jose
