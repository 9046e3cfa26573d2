#include "jose/decryption_key.hpp"

#include <openssl/evp.h>

#include <catch2/catch.hpp>
#include <string>

#include "jose/base64url.hpp"
#include "unit/support/json_text.hpp"

namespace signet::jose {
namespace {

using test::Json;

// RFC 7518 appendix C, RFC 8037 A.6: keys that everybody knows.
const std::string ec = R"("kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",)"
                       R"("y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck")";
const std::string ec_d = R"("d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw")";
const std::string okp = R"("kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08")";
const std::string okp_d = R"("d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os")";

std::string oct(std::size_t bytes, const std::string& more = "") {
    return R"({"kty":"oct","k":")" + encode_base64url(std::string(bytes, 'k')) + "\"" + more + "}";
}

std::string wrong_with(const std::string& jwk) {
    const auto key = DecryptionKey::from_jwk(*Json(jwk));
    return key ? std::string() : key.error().message;
}

TEST_CASE("a decryption key is refused with its cause") {
    struct Row {
        std::string jwk;
        const char* why;
    };
    for (const auto& [jwk, why] :
         {Row{"[]", "not a JSON object"}, Row{"{" + ec + "}", "no private half"},
          Row{"{" + ec + "," + ec_d + R"(,"use":"sig"})", "use is not enc"},
          Row{"{" + ec + "," + ec_d + R"(,"key_ops":["sign"]})", "key_ops"},
          Row{"{" + ec + "," + ec_d + R"(,"alg":"RSA1_5"})", "RSA1_5 is not supported"},
          Row{"{" + ec + "," + ec_d + R"(,"alg":"PBES2-HS256+A128KW"})", "not supported"},
          Row{"{" + ec + "," + ec_d + R"(,"alg":"RSA-OAEP"})", "does not fit"},
          Row{"{" + ec + "," + ec_d + R"(,"alg":"A128GCM"})", "does not fit"},
          Row{"{" + ec + "," + ec_d + R"(,"kid":5})", "kid is not a string"},
          // The private half of another key.
          Row{"{" + ec + R"(,"d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqd0"})", "numbers"},
          Row{"{" + okp + R"(,"d":"YasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"})", "numbers"},
          Row{R"({"kty":"EC","crv":"secp256k1","d":"AA"})", "secp256k1 is not supported"},
          Row{R"({"kty":"OKP","crv":"Ed25519","d":"AA"})", "Ed25519 is not supported"},
          Row{R"({"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"})", "numbers"}, Row{oct(0), "k is missing"},
          Row{oct(15), "length"}, Row{oct(33), "length"}, Row{oct(16, R"(,"alg":"A256KW")"), "does not fit"},
          Row{oct(16, R"(,"alg":"A256GCM")"), "does not fit"}}) {
        CAPTURE(jwk);
        CHECK_THAT(wrong_with(jwk), Catch::Contains(why));
    }
}

TEST_CASE("what a key may serve is bound when it is read") {
    using enum KeyManagement;
    using enum ContentEncryption;
    const auto any = DecryptionKey::from_jwk(*Json(oct(32))).value();
    CHECK(any.fits(A256KW, A128GCM));
    CHECK(any.fits(A256GCMKW, A256CBC_HS512));
    CHECK(any.fits(dir, A256GCM));
    CHECK(any.fits(dir, A128CBC_HS256));
    CHECK_FALSE(any.fits(dir, A256CBC_HS512));  // of another length
    CHECK_FALSE(any.fits(A128KW, A128GCM));
    CHECK_FALSE(any.fits(ECDH_ES, A128GCM));
    const auto one = DecryptionKey::from_jwk(*Json(oct(32, R"(,"alg":"A256GCM","kid":"k")"))).value();
    CHECK(one.fits(dir, A256GCM));
    CHECK_FALSE(one.fits(dir, A128CBC_HS256));
    CHECK_FALSE(one.fits(A256KW, A256GCM));
    CHECK(one.kid() == "k");
    const auto agreed =
        DecryptionKey::from_jwk(*Json("{" + okp + "," + okp_d + R"(,"alg":"ECDH-ES"})")).value();
    CHECK(agreed.fits(ECDH_ES, A128GCM));
    CHECK_FALSE(agreed.fits(ECDH_ES_A128KW, A128GCM));
    CHECK(any.is_same_as(one));
    CHECK_FALSE(any.is_same_as(agreed));
}

TEST_CASE("a set of decryption keys is whole or nothing") {
    const auto good = "{" + ec + "," + ec_d + "}";
    CHECK(parse_decryption_keys(R"({"keys":[)" + good + "," + oct(16) + "]}").value().size() == 2);
    CHECK_THAT(parse_decryption_keys(R"({"keys":[)" + good + "," + oct(17) + "]}").error().message,
               Catch::Contains("key 2: "));
    CHECK_FALSE(parse_decryption_keys(R"({"keys":[]})"));
    CHECK_FALSE(parse_decryption_keys(good));
    CHECK_FALSE(parse_decryption_keys("{"));
}

// RFC 7518 appendix C: the agreement whose result is known.
TEST_CASE("the agreed key is the one of RFC 7518 appendix C") {
    // Bob's key opens what Alice encrypted; the tag holds only under the derived key VqqN6vgjbSBcIijNcacQGg.
    const std::string jwk =
        R"({"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",)"
        R"("y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"})";
    const auto key = DecryptionKey::from_jwk(*Json(jwk)).value();
    const std::string header = encode_base64url(
        R"({"alg":"ECDH-ES","enc":"A128GCM","apu":"QWxpY2U","apv":"Qm9i","epk":{"kty":"EC","crv":"P-256",)"
        R"("x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}})");
    const auto cek = decode_base64url("VqqN6vgjbSBcIijNcacQGg").value();
    const std::string iv(12, 'i'), text = "what Alice says";
    std::string sealed(text.size(), '\0'), tag(16, '\0');
    EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
    int n = 0;
    const auto in = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    const auto out = [](std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); };
    EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, in(cek), in(iv));
    EVP_EncryptUpdate(context, nullptr, &n, in(header), static_cast<int>(header.size()));
    EVP_EncryptUpdate(context, out(sealed), &n, in(text), static_cast<int>(text.size()));
    EVP_EncryptFinal_ex(context, out(tag), &n);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    EVP_CIPHER_CTX_free(context);

    EncryptedTokenReader reader;
    const auto compact =
        header + ".." + encode_base64url(iv) + "." + encode_base64url(sealed) + "." + encode_base64url(tag);
    const auto token = reader.read(TokenText(compact));
    REQUIRE(token);
    std::string opened;
    REQUIRE(key.decrypt(*token, opened));
    CHECK(opened == text);
    // An encrypted key where none may be (CVE-2026-34986 is the opposite: none where one must be).
    const auto with_key = header + ".AAAA." + compact.substr(header.size() + 2);
    const auto other = reader.read(TokenText(with_key));
    REQUIRE(other);
    CHECK_FALSE(key.decrypt(*other, opened));
    CHECK(opened.empty());
}

}  // namespace
}  // namespace signet::jose
