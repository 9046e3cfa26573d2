// A private key: for `keygen`, `mint`, the demo and the tests. The proxy itself signs nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "jose/algorithm.hpp"

namespace signet::jose {

class SigningKey {
  public:
    static result<SigningKey> generate(Algorithm a, std::string kid);
    // A private JWK with alg and kid (RFC 7517, 7518 §6.2.2, 6.3.2, 8037 §2, 9964 §4).
    static result<SigningKey> from_jwk(std::string_view json_text);

    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;
    ~SigningKey();

    [[nodiscard]] std::string private_jwk() const;
    [[nodiscard]] std::string public_jwk_set() const;
    [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
    [[nodiscard]] const std::string& kid() const { return kid_; }

    // Compact JWS over a payload of JSON text, with header {"alg","typ","kid"}.
    [[nodiscard]] result<std::string> sign(std::string_view payload_json,
                                           std::string_view typ = "at+jwt") const;

  private:
    struct Native;
    SigningKey(Algorithm a, std::string kid, std::unique_ptr<Native> native);
    [[nodiscard]] std::string jwk(bool with_private) const;
    [[nodiscard]] result<std::string> sign_bytes(std::string_view input) const;

    Algorithm algorithm_;
    std::string kid_;
    std::unique_ptr<Native> native_;
};

}  // namespace signet::jose
