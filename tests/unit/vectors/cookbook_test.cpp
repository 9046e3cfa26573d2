// RFC 7520's and RFC 8037's examples, and RFC 7797's, which we refuse.
#include <catch2/catch.hpp>
#include <string>

#include "jose/base64url.hpp"
#include "jose/decryption_key.hpp"
#include "jose/token.hpp"
#include "unit/support/json_text.hpp"
#include "unit/vectors/vectors.hpp"

namespace signet::test {
namespace {

Json cookbook(const std::string& name) {
    return Json(read_file(vectors_folder() + "/jose-cookbook/" + name));
}

std::string text(const json::Value& v, std::initializer_list<const char*> path) {
    json::Value at = v;
    for (const auto step : path) {
        const auto next = at.find(step);
        INFO(step);
        REQUIRE(next);
        at = *next;
    }
    return std::string(at.string().value_or(""));
}

// The example's own key; symmetric ones there name their alg.
jose::KeySet keys_in(const json::Value& input) {
    auto keys = keys_of(*input.find("key"));
    REQUIRE(keys);
    return std::move(*keys);
}

TEST_CASE("RFC 7520 section 4: compact signatures are accepted") {
    for (const auto name :
         {"jws/4_1.rsa_v15_signature.json", "jws/4_2.rsa-pss_signature.json", "jws/4_3.ecdsa_signature.json",
          "jws/4_4.hmac-sha2_integrity_protection.json", "curve25519/jws.json"}) {
        const auto example = cookbook(name);
        const auto compact = text(*example, {"output", "compact"});
        const auto keys = keys_in(*example->find("input"));
        CAPTURE(name);
        CHECK(judge(compact, keys).empty());
        CHECK_FALSE(judge(compact + "A", keys).empty());
        // A payload that is no JSON is no token.
        jose::TokenReader reader;
        CHECK_FALSE(reader.read(TokenText(compact)));
    }
}

TEST_CASE("RFC 7520 section 4: detached and JSON forms hold as signatures, and are no tokens") {
    for (const auto name :
         {"jws/4_5.signature_with_detached_content.json", "jws/4_6.protecting_specific_header_fields.json",
          "jws/4_7.protecting_content_only.json"}) {
        const auto example = cookbook(name);
        const auto keys = keys_in(*example->find("input"));
        const auto signature = jose::decode_base64url(text(*example, {"signing", "sig"}));
        CAPTURE(name);
        REQUIRE(signature);
        CHECK(keys.keys[0].verify(jose::Algorithm::HS256, text(*example, {"signing", "sig-input"}),
                                  *signature));
    }
    const auto detached =
        text(*cookbook("jws/4_5.signature_with_detached_content.json"), {"output", "compact"});
    jose::TokenReader reader;
    CHECK_FALSE(reader.read(TokenText(detached)));
}

TEST_CASE("RFC 7520 section 4.8: three signers, each by its own key") {
    const auto example = cookbook("jws/4_8.multiple_signatures.json");
    const auto keys = *example->find("input")->find("key");
    const auto signing = *example->find("signing");
    REQUIRE(signing.size() == 3);
    const jose::Algorithm algorithms[] = {jose::Algorithm::RS256, jose::Algorithm::ES512,
                                          jose::Algorithm::HS256};
    for (std::size_t key = 0; key < 3; ++key)
        for (std::size_t signature = 0; signature < 3; ++signature) {
            const auto set = keys_of(*keys.at(key));
            REQUIRE(set);
            const auto bytes = jose::decode_base64url(text(*signing.at(signature), {"sig"}));
            REQUIRE(bytes);
            CAPTURE(key, signature);
            CHECK(set->keys[0].verify(algorithms[signature], text(*signing.at(signature), {"sig-input"}),
                                      *bytes) == (key == signature));
        }
}

TEST_CASE("RFC 7520 section 6: the inner token of the nested example is read and verified") {
    const auto example = cookbook("6.nesting_signatures_and_encryption.json");
    const auto compact = text(*example, {"sign", "output", "compact"});
    jose::TokenReader reader;
    const auto token = reader.read(TokenText(compact));
    REQUIRE(token);
    CHECK(token->algorithm == jose::Algorithm::PS256);
    CHECK(token->payload.find("iss")->string() == "hobbiton.example");
    const auto keys = keys_in(*example->find("sign")->find("input"));
    CHECK(keys.keys.at(0).verify(*token->algorithm, token->signing_input, token->signature));
    CHECK_FALSE(keys.keys.at(0).verify(jose::Algorithm::RS256, token->signing_input, token->signature));
    jose::TokenReader outer;
    CHECK_FALSE(outer.read(TokenText(text(*example, {"encrypt", "output", "compact"}))));
}

TEST_CASE("RFC 7520 section 3: keys") {
    struct Row {
        const char* name;
        bool usable;
    };
    for (const auto& row : {Row{"jwk/3_1.ec_public_key.json", true},
                            {"jwk/3_2.ec_private_key.json", true},
                            {"jwk/3_3.rsa_public_key.json", true},
                            {"jwk/3_4.rsa_private_key.json", true},
                            {"jwk/3_5.symmetric_key_mac_computation.json", false},
                            {"jwk/3_6.symmetric_key_encryption.json", false}}) {
        CAPTURE(row.name);
        CHECK(jose::VerificationKey::from_jwk(*cookbook(row.name)).has_value() == row.usable);
    }
}

TEST_CASE("RFC 7797: an unencoded payload is refused for its crit, or for its bytes") {
    const auto detached = cookbook("rfc7797/4.2.hmac-sha2_b64_false.json");
    const auto with_crit = cookbook("rfc7797/hmac-sha2_b64_false.json");
    const auto keys = keys_in(*with_crit->find("input"));
    const auto compact = text(*with_crit, {"output", "compact"});
    jose::TokenReader reader;
    CHECK_FALSE(judge(compact, keys).empty());
    CHECK_FALSE(reader.read(TokenText(compact)));
    // Its header around a payload that could be read.
    const auto header = compact.substr(0, compact.find('.'));
    const auto readable = header + "." + jose::encode_base64url("{}") + ".c2ln";
    CHECK(judge(readable, keys) == "crit");
    const auto token = reader.read(TokenText(readable));
    REQUIRE(token);
    CHECK(token->has_crit);
}

std::string opened(const json::Value& jwk, const std::string& compact) {
    const auto key = jose::DecryptionKey::from_jwk(jwk);
    REQUIRE(key);
    jose::EncryptedTokenReader reader;
    const auto token = reader.read(TokenText(compact));
    REQUIRE(token);
    std::string plaintext;
    return key->decrypt(*token, plaintext) ? plaintext : "";
}

TEST_CASE("RFC 7520 section 5: encrypted by every way that is supported") {
    for (const auto name :
         {"jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm.json",
          "jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm.json",
          "jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2.json",
          "jwe/5_6.direct_encryption_using_aes-gcm.json",
          "jwe/5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2.json",
          "jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm.json"}) {
        const auto example = cookbook(name);
        CAPTURE(name);
        CHECK(opened(*example->find("input")->find("key"), text(*example, {"output", "compact"})) ==
              text(*example, {"input", "plaintext"}));
    }
}

TEST_CASE("RFC 7520 sections 5.1, 5.3, 5.9: RSA1_5, PBES2 and zip are not known") {
    jose::EncryptedTokenReader reader;
    for (const auto name : {"jwe/5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2.json",
                            "jwe/5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2.json"}) {
        CAPTURE(name);
        const auto compact = text(*cookbook(name), {"output", "compact"});
        const auto token = reader.read(TokenText(compact));
        REQUIRE(token);
        CHECK_FALSE(token->algorithm);
    }
    const auto zipped = text(*cookbook("jwe/5_9.compressed_content.json"), {"output", "compact"});
    const auto token = reader.read(TokenText(zipped));
    REQUIRE(token);
    CHECK(token->has_zip);
}

TEST_CASE("RFC 7520 section 6, nested; and a key agreed on X25519") {
    const auto nested = cookbook("6.nesting_signatures_and_encryption.json");
    const auto inner = opened(*nested->find("encrypt")->find("input")->find("key"),
                              text(*nested, {"encrypt", "output", "compact"}));
    CHECK(inner == text(*nested, {"sign", "output", "compact"}));
    const auto agreed = cookbook("curve25519/ecdh-es.json");
    CHECK(opened(*agreed->find("input")->find("key"), text(*agreed, {"output", "compact"})) ==
          text(*agreed, {"input", "plaintext"}));
}

}  // namespace
}  // namespace signet::test
