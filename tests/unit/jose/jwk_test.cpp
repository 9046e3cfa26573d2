#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "jose/verification_key.hpp"
#include "unit/jose/sample_keys.hpp"
#include "unit/support/json_text.hpp"
#include "unit/support/printing.hpp"

namespace signet::jose {
namespace {

using namespace std::literals;
using namespace signet::test;

// What is wrong with the key; empty: nothing.
std::string wrong_with(const std::string& jwk) {
    const Json json(jwk);
    const auto key = VerificationKey::from_jwk(*json);
    return key ? std::string{} : key.error().message;
}

VerificationKey key_from(const std::string& jwk) {
    const Json json(jwk);
    auto key = VerificationKey::from_jwk(*json);
    INFO(jwk);
    if (!key) FAIL(key.error().message);
    return std::move(*key);
}

TEST_CASE("a key may verify what its kind can, and no more") {
    struct Row {
        std::string jwk;
        KeyType type;
        std::string_view kty;
        std::string_view algorithms;
    };
    const Row rows[] = {
        {rsa_jwk(), KeyType::rsa, "RSA", "RS256, RS384, RS512, PS256, PS384, PS512"},
        {ec_jwk(), KeyType::p256, "EC", "ES256"},
        {okp_jwk(), KeyType::ed25519, "OKP", "EdDSA"},
        {okp_jwk("Ed448", "X9dEm1m0Yf0s54fsYWrUah2hNCSFpw4fig6nXYDpZ3jt8SR2m0bHBhvWeD3x5Q9s0foavq_oJWGA"),
         KeyType::ed448, "OKP", "EdDSA"},
    };
    for (const auto& row : rows) {
        const auto key = key_from(row.jwk);
        CAPTURE(row.jwk);
        CHECK(key.type() == row.type);
        CHECK(kty_of(key.type()) == row.kty);
        CHECK(key.algorithms().names() == row.algorithms);
        CHECK_FALSE(key.kid());
        CHECK_FALSE(key.declared_algorithm());
        CHECK_FALSE(key.declared_use());
    }
}

TEST_CASE("a declared alg leaves just that one") {
    const std::pair<std::string, Algorithm> rows[] = {
        {rsa_jwk(R"(,"alg":"RS384")"), Algorithm::RS384},
        {rsa_jwk(R"(,"alg":"PS256")"), Algorithm::PS256},
        {ec_jwk(R"(,"alg":"ES256")"), Algorithm::ES256},
    };
    for (const auto& [jwk, alg] : rows) {
        const auto key = key_from(jwk);
        CAPTURE(jwk);
        CHECK(key.declared_algorithm() == alg);
        CHECK(key.algorithms() == AlgorithmSet{alg});
    }
    for (const auto alg : {Algorithm::EdDSA, Algorithm::Ed25519}) {
        const auto key = key_from(okp_jwk(",\"alg\":\"" + std::string(name_of(alg)) + "\""));
        CHECK(key.declared_algorithm() == alg);
        CHECK(key.algorithms() == AlgorithmSet{Algorithm::EdDSA, Algorithm::Ed25519});
    }
    const Json other(okp_jwk(R"(,"alg":"Ed448")"));
    CHECK_FALSE(VerificationKey::from_jwk(*other));
}

TEST_CASE("kid and use are kept") {
    const auto key =
        key_from(rsa_jwk(R"(,"kid":"a b","use":"sig","key_ops":["verify"],"unknown":{"a":[1]})"));
    CHECK(key.kid() == "a b");
    CHECK(key.declared_use());
    CHECK(key_from(rsa_jwk(R"(,"kid":"")")).kid() == "");
    CHECK(wrong_with(rsa_jwk(R"(,"key_ops":["sign","verify"])")).empty());
}

TEST_CASE("a key that is meant for something else, or that cannot be right, is refused with its cause") {
    const auto p384_x = encode_base64url(std::string(48, '\x11'));
    auto off_curve = bytes_of(p256_y);
    off_curve.back() = static_cast<char>(off_curve.back() ^ 1);
    auto even = bytes_of(rsa_n);
    even.back() = static_cast<char>(even.back() & ~1);
    auto short_n = bytes_of(rsa_n).substr(0, 128);
    short_n.back() = static_cast<char>(short_n.back() | 1);
    auto bits_2047 = bytes_of(rsa_n);
    bits_2047.front() = static_cast<char>(bits_2047.front() & 0x7F);
    struct Row {
        const char* what;
        std::string jwk;
        const char* fault;
    };
    const Row rows[] = {
        {"no object", "[]", "not a JSON object"},
        {"a string", "\"RSA\"", "not a JSON object"},
        {"an empty object", "{}", "kty is missing"},
        {"kty as a number", R"({"kty":1})", "kty is missing"},
        {"an unknown kty", R"({"kty":"XYZ","pub":"AAAA"})", "kty XYZ is not supported"},
        {"kty in other case", R"({"kty":"rsa","n":"AQAB","e":"AQAB"})", "kty rsa is not supported"},
        {"a symmetric key",
         R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4"})",
         "symmetric"},
        {"an empty symmetric key", R"({"kty":"oct","k":""})", "symmetric"},
        {"use enc", rsa_jwk(R"(,"use":"enc")"), "use is not sig"},
        {"an unknown use", ec_jwk(R"(,"use":"tls")"), "use is not sig"},
        {"use as a number", ec_jwk(R"(,"use":1)"), "use is not sig"},
        {"use as null", ec_jwk(R"(,"use":null)"), "use is not sig"},
        {"key_ops encrypt", rsa_jwk(R"(,"key_ops":["encrypt"])"), "key_ops does not name verify"},
        {"key_ops sign alone", rsa_jwk(R"(,"key_ops":["sign"])"), "key_ops does not name verify"},
        {"key_ops empty", rsa_jwk(R"(,"key_ops":[])"), "key_ops does not name verify"},
        {"key_ops as a string", rsa_jwk(R"(,"key_ops":"verify")"), "key_ops is not an array"},
        {"use sig beside key_ops encrypt", rsa_jwk(R"(,"use":"sig","key_ops":["encrypt"])"), "key_ops"},
        {"alg as a number", rsa_jwk(R"(,"alg":256)"), "alg is not a string"},
        {"alg as null", rsa_jwk(R"(,"alg":null)"), "alg is not a string"},
        {"an alg for encryption", rsa_jwk(R"(,"alg":"RSA-OAEP")"), "alg RSA-OAEP is not supported"},
        {"alg none", rsa_jwk(R"(,"alg":"none")"), "alg none is not supported"},
        {"an HMAC alg on RSA", rsa_jwk(R"(,"alg":"HS256")"), "does not fit"},
        {"ES256 on RSA", rsa_jwk(R"(,"alg":"ES256")"), "does not fit"},
        {"RS256 on EC", ec_jwk(R"(,"alg":"RS256")"), "does not fit"},
        {"ES384 on P-256", ec_jwk(R"(,"alg":"ES384")"), "does not fit"},
        {"EdDSA on EC", ec_jwk(R"(,"alg":"EdDSA")"), "does not fit"},
        {"ES256 on Ed25519", okp_jwk(R"(,"alg":"ES256")"), "does not fit"},
        {"kid as a number", rsa_jwk(R"(,"kid":1)"), "kid is not a string"},
        {"kid as null", ec_jwk(R"(,"kid":null)"), "kid is not a string"},
        {"RSA without n", R"({"kty":"RSA","e":"AQAB"})", "member n is missing"},
        {"RSA without e", R"({"kty":"RSA","n":")" + rsa_n + "\"}", "member e is missing"},
        {"n as a number", R"({"kty":"RSA","n":7,"e":"AQAB"})", "member n is not a string"},
        {"n with padding", rsa_jwk(rsa_n + "==", "AQAB"), "member n is not base64url"},
        {"n empty", rsa_jwk("", "AQAB"), "member n is not base64url"},
        {"e empty", rsa_jwk(rsa_n, ""), "member e is not base64url"},
        {"RSA of 1024 bits", rsa_jwk(encode_base64url(short_n), "AQAB"), "shorter than 2048"},
        {"RSA of 2047 bits", rsa_jwk(encode_base64url(bits_2047), "AQAB"), "shorter than 2048"},
        {"RSA of 1024 bits blown up with zeros",
         rsa_jwk(encode_base64url(std::string(128, '\0') + short_n), "AQAB"), "shorter than 2048"},
        {"RSA of 8200 bits", rsa_jwk(encode_base64url(std::string(1025, '\xFF')), "AQAB"),
         "longer than 8192"},
        {"RSA of 100,000 bits", rsa_jwk(encode_base64url(std::string(12'500, '\xFF')), "AQAB"),
         "longer than 8192"},
        {"an even modulus", rsa_jwk(encode_base64url(even), "AQAB"), "even RSA modulus"},
        {"e of 0", rsa_jwk(rsa_n, "AA"), "exponent"},
        {"e of 1", rsa_jwk(rsa_n, "AQ"), "exponent"},
        {"e of 1 with zeros in front", rsa_jwk(rsa_n, "AAAAAQ"), "exponent"},
        {"e of 2", rsa_jwk(rsa_n, "Ag"), "exponent"},
        {"e of 65536", rsa_jwk(rsa_n, "AQAA"), "exponent"},
        {"e of 72 bits", rsa_jwk(rsa_n, "AQAAAAAAAAAB"), "exponent longer than 64 bits"},
        {"EC without crv", R"({"kty":"EC","x":")" + p256_x + R"(","y":")" + p256_y + "\"}",
         "is not supported"},
        {"an unknown curve", ec_jwk("P-192", p256_x, p256_y), "curve P-192 is not supported"},
        {"a point of another curve", ec_jwk("secp256k1", p256_x, p256_y), "curve"},
        {"crv in other case", ec_jwk("p-256", p256_x, p256_y), "curve p-256 is not supported"},
        {"EC without y", R"({"kty":"EC","crv":"P-256","x":")" + p256_x + "\"}", "member y is missing"},
        {"a point off the curve", ec_jwk("P-256", p256_x, encode_base64url(off_curve)), "curve"},
        {"x and y exchanged", ec_jwk("P-256", p256_y, p256_x), "curve"},
        {"the point (0, 0)",
         ec_jwk("P-256", encode_base64url(std::string(32, '\0')), encode_base64url(std::string(32, '\0'))),
         "curve"},
        {"a coordinate beyond the field",
         ec_jwk("P-256", encode_base64url(std::string(32, '\xFF')),
                encode_base64url(std::string(32, '\xFF'))),
         "curve"},
        {"a coordinate without its leading zero",
         ec_jwk("P-256", encode_base64url(bytes_of(p256_x).substr(1)), p256_y), "length of the curve"},
        {"a coordinate with a zero too many",
         ec_jwk("P-256", encode_base64url("\0"s + bytes_of(p256_x)), p256_y), "length of the curve"},
        {"P-384 with the coordinates of P-256", ec_jwk("P-384", p256_x, p256_y), "length of the curve"},
        {"P-384 off the curve", ec_jwk("P-384", p384_x, p384_x), "curve"},
        {"X25519, which signs nothing", okp_jwk("X25519", ed25519_x), "not for signatures"},
        {"OKP without crv", R"({"kty":"OKP","x":")" + ed25519_x + "\"}", "not for signatures"},
        {"Ed25519 without x", R"({"kty":"OKP","crv":"Ed25519"})", "member x is missing"},
        {"Ed25519 a byte short", okp_jwk("Ed25519", encode_base64url(std::string(31, '\x01'))),
         "wrong length"},
        {"Ed25519 a byte long", okp_jwk("Ed25519", encode_base64url(std::string(33, '\x01'))),
         "wrong length"},
        {"Ed448 with the length of Ed25519", okp_jwk("Ed448", ed25519_x), "wrong length"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK_THAT(wrong_with(row.jwk), Catch::Contains(row.fault));
    }
}

TEST_CASE("RSA at the very bounds is taken") {
    auto largest = std::string(1024, '\xFF');
    CHECK(key_from(rsa_jwk(encode_base64url(largest), "AQAB")).type() == KeyType::rsa);
    CHECK(key_from(rsa_jwk(encode_base64url('\0' + bytes_of(rsa_n)), "AQAB")).type() == KeyType::rsa);
    CHECK(key_from(rsa_jwk(rsa_n, "Aw")).type() == KeyType::rsa);
}

TEST_CASE("a private JWK serves as the public key in it") {
    const auto key = key_from(ec_jwk(R"(,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")"));
    CHECK(key.type() == KeyType::p256);
}

TEST_CASE("a secret verifies the hashes that are no longer than it") {
    const std::pair<std::size_t, std::string_view> rows[] = {{32, "HS256"},
                                                             {47, "HS256"},
                                                             {48, "HS256, HS384"},
                                                             {63, "HS256, HS384"},
                                                             {64, "HS256, HS384, HS512"},
                                                             {1000, "HS256, HS384, HS512"}};
    for (const auto& [size, names] : rows) {
        const auto key = VerificationKey::from_secret(std::string(size, 's'));
        CAPTURE(size);
        REQUIRE(key);
        CHECK(key->algorithms().names() == names);
        CHECK(key->type() == KeyType::secret);
        CHECK(kty_of(key->type()) == "oct");
    }
    for (const std::size_t size : {0u, 1u, 16u, 31u}) {
        const auto key = VerificationKey::from_secret(std::string(size, 's'));
        CAPTURE(size);
        REQUIRE_FALSE(key);
        CHECK_THAT(key.error().message,
                   Catch::Contains(std::to_string(size) + " bytes") && !Catch::Contains("sss"));
    }
}

}  // namespace
}  // namespace signet::jose
