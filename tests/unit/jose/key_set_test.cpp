#include "jose/key_set.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "unit/jose/sample_keys.hpp"
#include "unit/support/printing.hpp"

namespace signet::jose {
namespace {

using namespace std::literals;
using namespace signet::test;

const std::string ec_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEA0kfLnkSO2h6qXueefvJsoi41Ylz\n"
    "3hbHya1dHDgF0iLQ7trnFSn4F7tx/bPwvvejQqTrAzFjqOsuTxjOJQWujA==\n"
    "-----END PUBLIC KEY-----\n";
const std::string ec_certificate =  // of the same key
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdDCCARugAwIBAgIUZfwaVgv9ijq7u4k1qufxCKAAt6QwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjMyMjA0MTNaGA8yMTI2MTAzMDIyMDQx\n"
    "M1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABANJ\n"
    "Hy55Ejtoeql7nnn7ybKIuNWJc94Wx8mtXRw4BdIi0O7a5xUp+Be7cf2z8L73o0Kk\n"
    "6wMxY6jrLk8YziUFroyjUzBRMB0GA1UdDgQWBBQCfs7i40QUmhaWgHXUQWNzMnU0\n"
    "1TAfBgNVHSMEGDAWgBQCfs7i40QUmhaWgHXUQWNzMnU01TAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0cAMEQCICCH9IyOkMgmQIB4s4sq9ozr/B8H7+ZcFroc\n"
    "ui3T0AbFAiAc2w5kSQIqZueo7BwGwzQA5EsqHyfpQhzEEy+6MGZmEw==\n"
    "-----END CERTIFICATE-----\n";
const std::string rsa_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmfCD6bied5aGLVfY/CEu\n"
    "W4n2Ywk9zYn0WZg/u8P1faSc/pWWJKWTojbQoBgGP98DtdzcDLhU6M/hryMc+4qH\n"
    "gk2lYwPCbaV0Xfe+5dR26AFBzzfK9eW8tcMpylDJqOn+YijfDWzkVknjEI+GhSBo\n"
    "lkA9L/QiyLmvCu1GvSYBLMwWF/Df6sXhXTosQvpqU9VGT9kF4L4WYg28uUsPVwBJ\n"
    "U+720JtAlMcmqsvKt0jXiq9702XEcBAa94N8fWUoDW1cPL++JkiI5XePevVuMqM/\n"
    "cW5/HdHMtVnu4zc7uLX1bZv/avK08VgmP9wzgrVIJdV72IEmiLkUokR6PPezHB1k\n"
    "ewIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
const std::string rsa_pkcs1_pem =  // the same key
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAmfCD6bied5aGLVfY/CEuW4n2Ywk9zYn0WZg/u8P1faSc/pWWJKWT\n"
    "ojbQoBgGP98DtdzcDLhU6M/hryMc+4qHgk2lYwPCbaV0Xfe+5dR26AFBzzfK9eW8\n"
    "tcMpylDJqOn+YijfDWzkVknjEI+GhSBolkA9L/QiyLmvCu1GvSYBLMwWF/Df6sXh\n"
    "XTosQvpqU9VGT9kF4L4WYg28uUsPVwBJU+720JtAlMcmqsvKt0jXiq9702XEcBAa\n"
    "94N8fWUoDW1cPL++JkiI5XePevVuMqM/cW5/HdHMtVnu4zc7uLX1bZv/avK08Vgm\n"
    "P9wzgrVIJdV72IEmiLkUokR6PPezHB1kewIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";
const std::string small_rsa_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC92Rz8MXENXpCrubcIDSRE+o3m\n"
    "7m4H5jOkXkXra1kYEtiT5b5L/ei765x+lSPwjHyhdvWRgx7wNICr9jjX7IJKEzbz\n"
    "W5EmKH7atEbOtce0fcTtlXh9cmL088n2rnKuYFe00LiV60CAT3SH4Np5z3nM7t4b\n"
    "y9dwmb8eSCZwEGQuFQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
const std::string ed448_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MEMwBQYDK2VxAzoAi7W2ywVtZgfUlTSIT0rWPIRTc07la24kRsbg6boS2lvEB/yK\n"
    "PfuIQfDAQqEJ+7DUgnstELtgsJsA\n"
    "-----END PUBLIC KEY-----\n";
const std::string x25519_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VuAyEAVrRN0TQGm0F5n1bk2XKYTsN4fKHSqnSJV2amiU8/pTQ=\n"
    "-----END PUBLIC KEY-----\n";
const std::string secp256k1_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEq06Hv1Y5iq+stOkl+x54YHbxp0IKOgIL\n"
    "9/q/+9dculFbITYxTsT3a3Yh9Ec8PjhX0SzBp+IIWCVT0LKcJozuug==\n"
    "-----END PUBLIC KEY-----\n";

std::string set_of(const std::string& keys) { return "{\"keys\":[" + keys + "]}"; }

std::string wrong_with(const result<KeySet>& set) { return set ? std::string{} : set.error().message; }

TEST_CASE("the good keys of a set serve, the others are named with their cause") {
    const auto set = parse_jwk_set(set_of(
        rsa_jwk(R"(,"kid":"good","use":"sig")") + "," + rsa_jwk(R"(,"kid":"enc","use":"enc")") + "," +
        ec_jwk(R"(,"kid":"ops","key_ops":["encrypt"])") + ",1,{}," + rsa_jwk(rsa_n, "AQ", R"(,"kid":"one")") +
        R"(,{"kty":"oct","kid":"oct","k":"AA"},)" + okp_jwk(R"(,"kid":7)") + "," + ec_jwk(R"(,"kid":"ec")")));
    REQUIRE(set);
    REQUIRE(set->keys.size() == 2);
    CHECK(set->keys[0].kid() == "good");
    CHECK(set->keys[1].kid() == "ec");
    std::string skipped;
    for (const auto& s : set->skipped) skipped += "[" + s.kid + ": " + s.why + "]";
    CHECK(set->skipped.size() == 7);
    CHECK_THAT(skipped,
               Catch::Contains("[enc: its use is not sig]") && Catch::Contains("[ops: its key_ops") &&
                   Catch::Contains("[one: an RSA exponent") && Catch::Contains("[oct: a symmetric key") &&
                   Catch::Contains("[: not a JSON object]") && Catch::Contains("[: kty is missing]") &&
                   Catch::Contains("[: its kid is not a string]"));
}

TEST_CASE("what is no set, or holds no usable key, is a fault") {
    const std::pair<const char*, std::string> rows[] = {
        {"nothing", ""},
        {"HTML", "<!doctype html><html></html>"},
        {"truncated", set_of(rsa_jwk()).substr(0, 300)},
        {"an array", "[" + rsa_jwk() + "]"},
        {"one key without a set", rsa_jwk()},
        {"no keys", R"({"keyz":[]})"},
        {"keys as an object", R"({"keys":{"a":1}})"},
        {"keys as null", R"({"keys":null})"},
        {"an empty set", set_of("")},
        {"only unusable keys", set_of(rsa_jwk(R"(,"use":"enc")"))},
        {"keys twice", R"({"keys":[)" + rsa_jwk() + R"(],"keys":[]})"},
        {"a member of a key twice", set_of(rsa_jwk(R"(,"kid":"a","kid":"b")"))},
        {"a byte order mark", "\xEF\xBB\xBF" + set_of(rsa_jwk())},
        {"two documents", set_of(rsa_jwk()) + set_of(rsa_jwk())},
    };
    for (const auto& [what, text] : rows) {
        CAPTURE(what);
        CHECK_FALSE(wrong_with(parse_jwk_set(text)).empty());
    }
    CHECK_THAT(wrong_with(parse_jwk_set(set_of(rsa_jwk(R"(,"use":"enc")")))),
               Catch::Contains("its use is not sig"));
}

TEST_CASE("a set is bounded in bytes") {
    const auto head = set_of(rsa_jwk()).substr(0, set_of(rsa_jwk()).size() - 1) + ",\"x\":\"";
    const auto of_size = [&](std::size_t size) {
        return head + std::string(size - head.size() - 2, 'x') + "\"}";
    };
    CHECK(parse_jwk_set(of_size(max_key_set_bytes)));
    CHECK_THAT(wrong_with(parse_jwk_set(of_size(max_key_set_bytes + 1))), Catch::Contains("256 KiB"));
    CHECK_THAT(wrong_with(parse_jwk_set(std::string(20'000'000, ' '))), Catch::Contains("256 KiB"));
}

TEST_CASE("a set is bounded in keys, usable or not") {
    const auto keys = [](int count) {
        std::string list = okp_jwk();
        for (int i = 1; i < count; ++i) list += ",{}";
        return set_of(list);
    };
    const auto hundred = parse_jwk_set(keys(100));
    REQUIRE(hundred);
    CHECK(hundred->keys.size() == 1);
    CHECK(hundred->skipped.size() == 99);
    CHECK_THAT(wrong_with(parse_jwk_set(keys(101))), Catch::Contains("more than 100 keys"));
    CHECK_THAT(wrong_with(parse_jwk_set(keys(50'000))), Catch::Contains("more than 100 keys"));
}

TEST_CASE("a set is bounded in depth") {
    const auto nested = [](std::size_t depth) {  // the object itself is one level
        return "{\"keys\":[" + okp_jwk() + "],\"x\":" + std::string(depth - 1, '[') +
               std::string(depth - 1, ']') + "}";
    };
    CHECK(parse_jwk_set(nested(32)));
    CHECK_FALSE(parse_jwk_set(nested(33)));
    CHECK_FALSE(parse_jwk_set(nested(10'000)));
    CHECK_FALSE(parse_jwk_set(std::string(200'000, '[')));
}

TEST_CASE("PEM keys and certificates are read one after the other") {
    const auto set = parse_pem_keys("a comment\n" + ec_pem + "another\n\n" + ec_certificate + rsa_pem +
                                    rsa_pkcs1_pem + ed448_pem + secp256k1_pem);
    REQUIRE(set);
    REQUIRE(set->keys.size() == 6);
    const KeyType types[] = {KeyType::p256, KeyType::p256,  KeyType::rsa,
                             KeyType::rsa,  KeyType::ed448, KeyType::secp256k1};
    for (std::size_t i = 0; i < 6; ++i) {
        CAPTURE(i);
        CHECK(set->keys[i].type() == types[i]);
        CHECK_FALSE(set->keys[i].kid());
        CHECK_FALSE(set->keys[i].declared_algorithm());
    }
    CHECK(set->skipped.empty());
}

TEST_CASE("PEM keys that cannot serve are skipped beside good ones, and a fault alone") {
    for (const auto& [what, pem] : {std::pair{"RSA of 1024 bits", small_rsa_pem}, {"X25519", x25519_pem}}) {
        CAPTURE(what);
        CHECK_FALSE(parse_pem_keys(pem));
        const auto set = parse_pem_keys(pem + ec_pem);
        REQUIRE(set);
        CHECK(set->keys.size() == 1);
        CHECK(set->skipped.size() == 1);
    }
}

TEST_CASE("a private key among PEM keys is refused with a word, whatever stands beside it") {
    for (const auto& kind :
         {"PRIVATE KEY"s, "EC PRIVATE KEY"s, "RSA PRIVATE KEY"s, "ENCRYPTED PRIVATE KEY"s}) {
        const auto pem = ec_pem + "-----BEGIN " + kind + "-----\nAAAA\n-----END " + kind + "-----\n";
        CAPTURE(kind);
        CHECK_THAT(wrong_with(parse_pem_keys(pem)), Catch::Contains("private key"));
    }
}

TEST_CASE("what is no PEM is a fault") {
    for (const auto& text : {""s, "hello"s, "-----BEGIN PUBLIC KEY-----\n"s, ec_pem.substr(0, 100),
                             "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"s,
                             "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"s,
                             "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n"s, set_of(rsa_jwk())}) {
        CAPTURE(text);
        CHECK_FALSE(parse_pem_keys(text));
    }
    CHECK_THAT(wrong_with(parse_pem_keys(std::string(max_key_set_bytes + 1, '-'))),
               Catch::Contains("256 KiB"));
}

TEST_CASE("more than a hundred PEM keys are a fault") {
    std::string pem;
    for (int i = 0; i < 100; ++i) pem += ec_pem;
    CHECK(parse_pem_keys(pem));
    CHECK_THAT(wrong_with(parse_pem_keys(pem + ec_pem)), Catch::Contains("more than 100 keys"));
}

}  // namespace
}  // namespace signet::jose
