#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jose/base64url.hpp"
#include "jose/key_set.hpp"
#include "jose/signing_key.hpp"
#include "jose/token.hpp"
#include "unit/jose/sample_keys.hpp"
#include "unit/support/exact.hpp"
#include "unit/support/json_text.hpp"
#include "unit/support/printing.hpp"

namespace signet::jose {
namespace {

using namespace std::literals;
using namespace signet::test;

// That this build has.
const std::vector<Algorithm> every_algorithm = [] {
    std::vector<Algorithm> out;
    for (int i = 0; i < algorithm_count; ++i)
        if (const auto a = algorithm_from(name_of(static_cast<Algorithm>(i)))) out.push_back(*a);
    return out;
}();

// One key for each algorithm, made once: RSA keys take their time.
const SigningKey& signing_key(Algorithm a) {
    static std::map<Algorithm, SigningKey> keys;
    auto it = keys.find(a);
    if (it == keys.end())
        it = keys.emplace(a, SigningKey::generate(a, "kid-" + std::string(name_of(a))).value()).first;
    return it->second;
}

VerificationKey verification_key(const SigningKey& key) {
    const Json jwk(key.private_jwk());
    if (is_hmac(key.algorithm()))
        return VerificationKey::from_secret(bytes_of(std::string(*jwk->find("k")->string()))).value();
    auto set = parse_jwk_set(key.public_jwk_set());
    REQUIRE(set);
    return std::move(set->keys.at(0));
}

struct Signed {
    std::string input, signature;  // raw
};
Signed sign(const SigningKey& key, std::string_view payload = R"({"iss":"x"})") {
    const auto text = key.sign(payload).value();
    const auto dot = text.rfind('.');
    return {text.substr(0, dot), bytes_of(text.substr(dot + 1))};
}

// EdDSA and the name of the key's own curve are one (RFC 9864 section 2.2).
bool same_of_this_key(const VerificationKey& key, Algorithm a, Algorithm other) {
    if (a == other) return true;
    const auto own = key.type() == KeyType::ed448 ? Algorithm::Ed448 : Algorithm::Ed25519;
    const AlgorithmSet one{Algorithm::EdDSA, own};
    return one.has(a) && one.has(other);
}

TEST_CASE("EdDSA by either name is verified by a key of that curve, and by none of the other") {
    for (const auto own : {Algorithm::Ed25519, Algorithm::Ed448}) {
        const auto other = own == Algorithm::Ed25519 ? Algorithm::Ed448 : Algorithm::Ed25519;
        const auto key = verification_key(signing_key(own));
        const auto [input, signature] = sign(signing_key(own));
        CHECK(key.algorithms().names() == "EdDSA");
        CHECK(key.verify(own, input, signature));
        CHECK(key.verify(Algorithm::EdDSA, input, signature));
        CHECK_FALSE(key.verify(other, input, signature));
    }
}

TEST_CASE("what each algorithm signs, its public key verifies, and no other algorithm of that key does") {
    for (const auto a : every_algorithm) {
        const auto& signer = signing_key(a);
        const auto key = verification_key(signer);
        const auto [input, signature] = sign(signer);
        CAPTURE(name_of(a));
        const Exact exact_input(input), exact_signature(signature);
        CHECK(key.verify(a, exact_input.view(), exact_signature.view()));
        for (const auto other : every_algorithm)
            if (!same_of_this_key(key, a, other)) CHECK_FALSE(key.verify(other, input, signature));
    }
}

TEST_CASE("a token carries alg, typ and kid, and reads back") {
    for (const auto a : every_algorithm) {
        const auto text = signing_key(a).sign(R"({"sub":"u"})", "JWT").value();
        TokenReader reader;
        const auto token = reader.read(TokenText(text));
        CAPTURE(name_of(a));
        REQUIRE(token);
        CHECK(token->algorithm == a);
        CHECK(token->typ == "JWT"sv);
        CHECK(token->kid == "kid-" + std::string(name_of(a)));
        CHECK(token->payload_json == R"({"sub":"u"})");
    }
}

TEST_CASE("one changed bit in input or signature is one too many") {
    for (const auto a : every_algorithm) {
        const auto& signer = signing_key(a);
        const auto key = verification_key(signer);
        const auto [input, signature] = sign(signer);
        CAPTURE(name_of(a));
        for (const std::size_t at : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
            auto changed = signature;
            changed[at] = static_cast<char>(changed[at] ^ 1);
            CHECK_FALSE(key.verify(a, input, changed));
        }
        for (const std::size_t at : {std::size_t{0}, input.size() - 1}) {
            auto changed = input;
            changed[at] = static_cast<char>(changed[at] ^ 1);
            CHECK_FALSE(key.verify(a, changed, signature));
        }
        CHECK_FALSE(key.verify(a, input.substr(1), signature));
        CHECK_FALSE(key.verify(a, "", signature));
    }
}

TEST_CASE("a signature of another length never holds") {
    for (const auto a : every_algorithm) {
        const auto& signer = signing_key(a);
        const auto key = verification_key(signer);
        const auto [input, signature] = sign(signer);
        CAPTURE(name_of(a), signature.size());
        const std::string others[] = {
            "",
            signature.substr(1),
            signature.substr(0, signature.size() - 1),
            signature + '\0',
            '\0' + signature,
            signature + signature,
            std::string(signature.size() - 1, '\0'),
            std::string(1, '\0'),
            std::string(143, '\x7F'),
            std::string(145, '\xFF'),
            bytes_of(std::string(21'830, 'A').substr(0, 21'828)),  // HAProxy, 2026-04
            std::string(16'372, '\xFF'),
            std::string(1'000'000, '\x01')};
        for (const auto& other : others) {
            CAPTURE(other.size());
            CHECK_FALSE(key.verify(a, input, Exact(other).view()));
        }
    }
}

TEST_CASE("a token whose ES256 signature has 21,830 characters is read and then refused") {
    const auto& signer = signing_key(Algorithm::ES256);
    const auto text = sign(signer).input + "." + std::string(21'830, 'A');
    TokenReader reader;
    const Exact exact(text);
    const auto token = reader.read(TokenText(exact.view()));
    REQUIRE(token);
    CHECK(token->signature.size() == 16'372);
    CHECK_FALSE(verification_key(signer).verify(Algorithm::ES256, token->signing_input, token->signature));
}

TEST_CASE("ECDSA signatures with r or s outside of 1..n-1 never hold") {
    struct Curve {
        Algorithm algorithm;
        std::string order;
    };
    const Curve curves[] = {
        {Algorithm::ES256, from_hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551")},
        {Algorithm::ES384, from_hex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB2"
                                    "48B0A77AECEC196ACCC52973")},
        {Algorithm::ES512,
         '\x01' + std::string(32, '\xFF') +
             from_hex("FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409")}};
    for (const auto& [a, order] : curves) {
        const auto& signer = signing_key(a);
        const auto key = verification_key(signer);
        const auto [input, signature] = sign(signer);
        const auto half = signature.size() / 2;
        REQUIRE(order.size() == half);
        const auto r = signature.substr(0, half), s = signature.substr(half);
        const std::string zero(half, '\0'), one = std::string(half - 1, '\0') + '\x01', all(half, '\xFF');
        CAPTURE(name_of(a));
        for (const auto& bad : {zero, one, order, all, std::string(half, '\x80')}) {
            CHECK_FALSE(key.verify(a, input, bad + bad));
            CHECK_FALSE(key.verify(a, input, r + bad));
            CHECK_FALSE(key.verify(a, input, bad + s));
        }
        CHECK_FALSE(key.verify(a, input, s + r));
    }
}

TEST_CASE("an ECDSA signature in DER is none") {
    const auto& signer = signing_key(Algorithm::ES256);
    const auto [input, raw] = sign(signer);
    const auto integer = [](std::string value) {
        if ((value[0] & 0x80) != 0) value.insert(0, 1, '\0');
        return std::string("\x02") + static_cast<char>(value.size()) + value;
    };
    const auto body = integer(raw.substr(0, 32)) + integer(raw.substr(32));
    CHECK_FALSE(verification_key(signer).verify(Algorithm::ES256, input,
                                                "\x30"s + static_cast<char>(body.size()) + body));
}

TEST_CASE("many ES512 signatures verify, with all the leading zeros that chance gives them") {
    const auto& signer = signing_key(Algorithm::ES512);
    const auto key = verification_key(signer);
    for (int i = 0; i < 50; ++i) {
        const auto [input, signature] = sign(signer, "{\"n\":" + std::to_string(i) + "}");
        REQUIRE(signature.size() == 132);
        CHECK(key.verify(Algorithm::ES512, input, signature));
    }
}

TEST_CASE("Ed448 signs and verifies by JWK") {
    const auto d =
        encode_base64url(from_hex("6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc"
                                  "2f044e39a3fc5b94492f8f032e7549a20098f95b"));
    const auto signer =
        SigningKey::from_jwk(R"({"kty":"OKP","crv":"Ed448","alg":"EdDSA","kid":"e","d":")" + d + "\"}");
    REQUIRE(signer);
    CHECK_THAT(signer->public_jwk_set(), Catch::Contains("\"Ed448\""));
    const auto key = verification_key(*signer);
    CHECK(key.type() == KeyType::ed448);
    auto [input, signature] = sign(*signer);
    CHECK(signature.size() == 114);
    CHECK(key.verify(Algorithm::EdDSA, input, signature));
    signature[113] = '\x01';
    CHECK_FALSE(key.verify(Algorithm::EdDSA, input, signature));
}

TEST_CASE("a private JWK signs as the key that it came from, and its public set holds nothing private") {
    for (const auto a : every_algorithm) {
        const auto& original = signing_key(a);
        const auto copy = SigningKey::from_jwk(original.private_jwk());
        CAPTURE(name_of(a));
        REQUIRE(copy);
        CHECK(copy->kid() == original.kid());
        CHECK(copy->algorithm() == a);
        const auto [input, signature] = sign(*copy);
        CHECK(verification_key(original).verify(a, input, signature));
        const Json set(original.public_jwk_set());
        const auto jwk = *set->find("keys")->at(0);
        for (const auto secret : {"d", "p", "q", "dp", "dq", "qi", "k", "priv"})
            CHECK_FALSE(jwk.find(secret));
    }
}

TEST_CASE("a key without a name has no kid, in its tokens nor in its set") {
    const auto key = SigningKey::generate(Algorithm::ES256, "").value();
    CHECK_THAT(key.public_jwk_set(), !Catch::Contains("\"kid\""));
    CHECK_THAT(key.private_jwk(), !Catch::Contains("\"kid\""));
    const auto text = key.sign("{}").value();
    TokenReader reader;
    const auto token = reader.read(TokenText(text));
    REQUIRE(token);
    CHECK_FALSE(token->kid);
    CHECK_FALSE(verification_key(key).kid());
}

TEST_CASE("what is no whole private JWK is refused") {
    for (const auto& text :
         {"{}"s, "[]"s, "x"s, R"({"kty":"RSA"})"s, R"({"alg":"RS256"})"s, R"({"alg":"none"})"s,
          rsa_jwk(R"(,"alg":"RS256")"), ec_jwk(R"(,"alg":"ES256")"), okp_jwk(R"(,"alg":"EdDSA")"),
          ec_jwk("P-256", "AA", "AA", R"(,"d":"AA","alg":"ES256")"), R"({"alg":"HS256","kty":"oct"})"s,
          R"({"alg":"EdDSA","kty":"OKP","crv":"Ed25519","d":"AA"})"s}) {
        CAPTURE(text);
        CHECK_FALSE(SigningKey::from_jwk(text));
    }
}

TEST_CASE("one key's signature does not hold under another of its kind") {
    for (const auto a : {Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256}) {
        const auto other = SigningKey::generate(a, "other").value();
        const auto [input, signature] = sign(signing_key(a));
        CHECK_FALSE(verification_key(other).verify(a, input, signature));
    }
    const auto [input, signature] = sign(signing_key(Algorithm::RS256));
    CHECK_FALSE(verification_key(signing_key(Algorithm::RS384)).verify(Algorithm::RS256, input, signature));
}

TEST_CASE("a public key is no HMAC secret") {
    // CVE-2015-9235: whatever text of the key a forger signs with.
    const auto& signer = signing_key(Algorithm::RS256);
    const auto key = verification_key(signer);
    const auto set = signer.public_jwk_set();
    const auto forger = R"({"kty":"oct","alg":"HS256","k":")" + encode_base64url(set) + "\"}";
    const auto [input, signature] = sign(SigningKey::from_jwk(forger).value());
    for (const auto a : {Algorithm::HS256, Algorithm::HS384, Algorithm::HS512, Algorithm::RS256})
        CHECK_FALSE(key.verify(a, input, signature));
}

}  // namespace
}  // namespace signet::jose
