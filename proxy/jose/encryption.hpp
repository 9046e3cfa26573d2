// JWE algorithms (RFC 7518 §4 and §5, RFC 8037 §3.2). RSA1_5 and PBES2 are not known here, so they can be
// neither configured nor met: the one is an oracle, the other lets a stranger choose the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace signet::jose {

enum class KeyManagement : std::uint8_t {  // `alg`
    RSA_OAEP,
    RSA_OAEP_256,
    ECDH_ES,
    ECDH_ES_A128KW,
    ECDH_ES_A192KW,
    ECDH_ES_A256KW,
    A128KW,
    A192KW,
    A256KW,
    A128GCMKW,
    A192GCMKW,
    A256GCMKW,
    dir
};

enum class ContentEncryption : std::uint8_t {  // `enc`
    A128GCM,
    A192GCM,
    A256GCM,
    A128CBC_HS256,
    A192CBC_HS384,
    A256CBC_HS512
};

// Case-sensitive (RFC 7516 §4.1).
std::optional<KeyManagement> key_management_from(std::string_view name);
std::optional<ContentEncryption> content_encryption_from(std::string_view name);
std::string_view name_of(KeyManagement a);
std::string_view name_of(ContentEncryption e);

constexpr bool is_rsa(KeyManagement a) { return a <= KeyManagement::RSA_OAEP_256; }
constexpr bool is_ecdh(KeyManagement a) {
    return a >= KeyManagement::ECDH_ES && a <= KeyManagement::ECDH_ES_A256KW;
}
constexpr bool is_gcm_wrap(KeyManagement a) {
    return a >= KeyManagement::A128GCMKW && a <= KeyManagement::A256GCMKW;
}
constexpr bool is_cbc(ContentEncryption e) { return e >= ContentEncryption::A128CBC_HS256; }

// Bytes of the AES key that wraps; 0 where none does (RSA, dir, ECDH-ES by itself).
std::size_t wrapping_key_size(KeyManagement a);
// Bytes of the content encryption key (RFC 7518 §5.1).
std::size_t content_key_size(ContentEncryption e);

template <class T>
class SmallSet {
  public:
    constexpr SmallSet() = default;
    constexpr SmallSet(std::initializer_list<T> list) {
        for (const auto v : list) add(v);
    }
    static constexpr SmallSet all(T last) {
        SmallSet out;
        for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) out.add(static_cast<T>(i));
        return out;
    }
    constexpr void add(T v) { bits_ |= 1u << static_cast<unsigned>(v); }
    [[nodiscard]] constexpr bool has(T v) const { return (bits_ >> static_cast<unsigned>(v) & 1u) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    friend constexpr bool operator==(SmallSet, SmallSet) = default;

  private:
    std::uint32_t bits_ = 0;
};

using KeyManagementSet = SmallSet<KeyManagement>;
using ContentEncryptionSet = SmallSet<ContentEncryption>;

inline constexpr auto all_key_management = KeyManagementSet::all(KeyManagement::dir);
inline constexpr auto all_content_encryption = ContentEncryptionSet::all(ContentEncryption::A256CBC_HS512);

}  // namespace signet::jose
