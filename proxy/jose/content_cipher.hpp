// The symmetric half of JWE: AES-GCM and AES-CBC with HMAC (RFC 7518 §5), and keys wrapped by AES (§4.4,
// §4.7). Private to the room.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "jose/encrypted_token.hpp"

namespace signet::jose {

// A content encryption key, or one that wraps it; wiped when it ends.
class SecretKey {
  public:
    SecretKey() = default;
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;
    ~SecretKey();

    // Room for `size` bytes, 64 at most (A256CBC-HS512), to be written by the caller.
    char* prepare(std::size_t size) {
        size_ = size;
        return bytes_.data();
    }
    void assign(std::string_view from);
    void randomise(std::size_t size);
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

  private:
    std::array<char, 64> bytes_{};
    std::size_t size_ = 0;
};

// RFC 3394. False unless `wrapped` is exactly a key of `size` bytes, wrapped by `key`.
bool unwrap_aes(std::string_view key, std::string_view wrapped, std::size_t size, SecretKey& out);

// AES-GCM with a 96 bit iv and a 128 bit tag, no shorter one (CVE-2023-37464). out: as long as the
// ciphertext.
bool open_gcm(std::string_view key, std::string_view iv, std::string_view authenticated,
              std::string_view ciphertext, std::string_view tag, char* out);

// False: not made with `key`. What `plaintext` then holds is nothing.
bool open_content(const EncryptedToken& token, std::string_view key, std::string& plaintext);

}  // namespace signet::jose
