// Public values of RFC 7515 A.2 and A.3 and RFC 8037 A.2, and JWKs around them.
#pragma once

#include <string>
#include <string_view>

#include "jose/base64url.hpp"

namespace signet::test {

inline const std::string rsa_n =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-"
    "SFd2lZ"
    "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
    "UTo7WTBEMa2"
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
    "h9iaGNj8q2ethFkMLs91kzk2PAcD"
    "TW9gb54h4FRWyuXpoQ";
inline const std::string p256_x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
inline const std::string p256_y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
inline const std::string ed25519_x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

// more: further members, each with a comma in front.
inline std::string rsa_jwk(const std::string& n, const std::string& e, const std::string& more = "") {
    return R"({"kty":"RSA","n":")" + n + R"(","e":")" + e + "\"" + more + "}";
}
inline std::string rsa_jwk(const std::string& more = "") { return rsa_jwk(rsa_n, "AQAB", more); }

inline std::string ec_jwk(const std::string& crv, const std::string& x, const std::string& y,
                          const std::string& more = "") {
    return R"({"kty":"EC","crv":")" + crv + R"(","x":")" + x + R"(","y":")" + y + "\"" + more + "}";
}
inline std::string ec_jwk(const std::string& more = "") { return ec_jwk("P-256", p256_x, p256_y, more); }

inline std::string okp_jwk(const std::string& crv, const std::string& x, const std::string& more = "") {
    return R"({"kty":"OKP","crv":")" + crv + R"(","x":")" + x + "\"" + more + "}";
}
inline std::string okp_jwk(const std::string& more = "") { return okp_jwk("Ed25519", ed25519_x, more); }

inline std::string bytes_of(const std::string& base64url) { return *jose::decode_base64url(base64url); }

inline std::string from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    return out;
}

}  // namespace signet::test
