// Examples of the RFCs: what others sign, we verify.
#include <catch2/catch.hpp>
#include <string>

#include "jose/base64url.hpp"
#include "jose/token.hpp"
#include "jose/verification_key.hpp"
#include "unit/jose/sample_keys.hpp"
#include "unit/support/json_text.hpp"
#include "unit/support/printing.hpp"

namespace signet::jose {
namespace {

using namespace signet::test;

const std::string rfc7515_payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const std::string rs256_signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CU"
    "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
    "eSN9383LcOLn6_d"
    "O--xi12jzDwusC-"
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
    "cN_IoypGlUPQGe77Rw";
const std::string es256_signature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

VerificationKey key_from(const std::string& jwk) {
    const Json json(jwk);
    return VerificationKey::from_jwk(*json).value();
}

bool verifies(const VerificationKey& key, const std::string& compact) {
    TokenReader reader;
    const auto token = reader.read(TokenText(compact));
    return token && token->algorithm && key.verify(*token->algorithm, token->signing_input, token->signature);
}

TEST_CASE("RFC 7515 A.1: HS256") {
    const auto key = VerificationKey::from_secret(
        bytes_of("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));
    const std::string header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    const std::string mac = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    CHECK(verifies(*key, header + "." + rfc7515_payload + "." + mac));
    CHECK_FALSE(
        verifies(*key, header + "." + rfc7515_payload + "." + encode_base64url(bytes_of(mac).substr(0, 31))));
}

TEST_CASE("RFC 7515 A.2: RS256") {
    const auto key = key_from(rsa_jwk());
    const auto token = "eyJhbGciOiJSUzI1NiJ9." + rfc7515_payload + "." + rs256_signature;
    CHECK(verifies(key, token));
    // The header's word changes nothing but what the key is asked: it does not hold as any other algorithm.
    for (const auto header : {R"({"alg":"RS384"})", R"({"alg":"PS256"})", R"({"alg":"HS256"})"})
        CHECK_FALSE(verifies(key, encode_base64url(header) + "." + rfc7515_payload + "." + rs256_signature));
    CHECK_FALSE(verifies(key_from(rsa_jwk(R"(,"alg":"RS512")")), token));
}

TEST_CASE("RFC 7515 A.3: ES256") {
    const auto key = key_from(ec_jwk());
    CHECK(verifies(key, "eyJhbGciOiJFUzI1NiJ9." + rfc7515_payload + "." + es256_signature));
    CHECK_FALSE(verifies(key, "eyJhbGciOiJFUzI1NiJ9." + rfc7515_payload + "A." + es256_signature));
}

TEST_CASE("RFC 8037 A.4: Ed25519, over a payload that is no JSON") {
    const auto key = key_from(okp_jwk());
    const std::string input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const auto signature =
        bytes_of("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    CHECK(key.verify(Algorithm::EdDSA, input, signature));
    CHECK_FALSE(key.verify(Algorithm::EdDSA, input + "A", signature));
    TokenReader reader;
    CHECK_FALSE(reader.read(TokenText(input + "." + encode_base64url(signature))));
}

TEST_CASE("RFC 8032 7.4: Ed448") {
    const auto x = from_hex(
        "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa"
        "1abeafe8256180");
    const auto signature = from_hex(
        "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c5"
        "9bd0a21bfd3980"
        "ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d9"
        "5808ff2e652600");
    const auto key = key_from(okp_jwk("Ed448", encode_base64url(x)));
    CHECK(key.type() == KeyType::ed448);
    CHECK(key.verify(Algorithm::EdDSA, "", signature));
    CHECK_FALSE(key.verify(Algorithm::EdDSA, "x", signature));
}

TEST_CASE("RFC 7519 section 3.1 is RFC 7515's own example, and section 6.1's unsecured token is no token") {
    TokenReader reader;
    const auto example = reader.read(TokenText("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc7515_payload +
                                               ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    REQUIRE(example);
    CHECK(example->payload.find("iss")->string() == "joe");
    CHECK(example->payload.find("exp")->integer() == 1300819380);
    CHECK(example->payload.find("http://example.com/is_root")->boolean() == true);
    CHECK_FALSE(reader.read(TokenText("eyJhbGciOiJub25lIn0." + rfc7515_payload + ".")));
}

}  // namespace
}  // namespace signet::jose
