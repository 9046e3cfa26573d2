// C2SP Wycheproof's JOSE files: each vector is accepted or refused as it says, but for the exceptions named
// here.
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "jose/decryption_key.hpp"
#include "jose/token.hpp"
#include "unit/support/json_text.hpp"
#include "unit/vectors/vectors.hpp"

namespace signet::test {
namespace {

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        constexpr const char* digits = "0123456789abcdef";
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

// The first of the group's private keys that opens it; empty: none does.
std::string open_with(const json::Value& jwk, std::string_view compact, std::string& plaintext) {
    jose::EncryptedTokenReader reader;
    const auto token = reader.read(TokenText(compact));
    if (!token) return token.error().message;
    if (token->has_crit || token->has_zip) return "crit or zip";
    std::string why = "no key";
    const auto one = [&](const json::Value& candidate) {
        const auto key = jose::DecryptionKey::from_jwk(candidate);
        if (!key)
            why = key.error().message;
        else
            why = key->decrypt(*token, plaintext) ? "" : "not opened";
        return !why.empty();
    };
    if (const auto list = jwk.find("keys"))
        list->each_element(one);
    else
        one(jwk);
    return why;
}

struct Exceptions {
    std::set<std::int64_t> refused;   // "valid", and we are stricter
    std::set<std::int64_t> accepted;  // "invalid", and not for the signature's sake
};

struct Tally {
    int tests = 0, accepted = 0, jwe = 0;
};

Tally run(const std::string& file, const Exceptions& exceptions) {
    const Json root(read_file(vectors_folder() + "/wycheproof/" + file));
    Tally tally;
    root->find("testGroups")->each_element([&](const json::Value& group) {
        const auto shown = group.find("public");
        const auto jwk = shown ? *shown : *group.find("private");
        const auto list = jwk.find("keys");
        std::string text;
        jwk.write(text, false);
        // A set of one key is taken as that key: the symmetric ones could not come otherwise.
        const auto keys = !list               ? keys_of(jwk)
                          : list->size() == 1 ? keys_of(*list->at(0))
                                              : jose::parse_jwk_set(text);
        group.find("tests")->each_element([&](const json::Value& test) {
            ++tally.tests;
            const auto id = *test.find("tcId")->integer();
            const std::string comment(*test.find("comment")->string());
            CAPTURE(file, id, comment);
            if (const auto jwe = test.find("jwe")) {
                ++tally.jwe;
                jose::TokenReader reader;
                const auto compact = jwe->string();  // an object is the JSON serialization
                if (!compact) return true;
                CHECK_FALSE(reader.read(TokenText(*compact)));
                std::string plaintext;
                CHECK(open_with(*group.find("private"), *compact, plaintext).empty() ==
                      (test.find("result")->string() == "valid"));
                return true;
            }
            const auto jws = test.find("jws")->string();
            const std::string why = !jws   ? "the JSON serialization is no compact token"
                                    : keys ? judge(*jws, *keys)
                                           : keys.error().message;
            bool expected = test.find("result")->string() == "valid";
            if (exceptions.refused.contains(id)) {
                CHECK(expected);
                expected = false;
            } else if (exceptions.accepted.contains(id)) {
                CHECK_FALSE(expected);
                expected = true;
            }
            CAPTURE(why);
            CHECK(why.empty() == expected);
            tally.accepted += why.empty() ? 1 : 0;
            return true;
        });
        return true;
    });
    return tally;
}

TEST_CASE("Wycheproof: signatures") {
    // Header PS384 while the key says PS256; alg "ES521"; '?' inside of base64. 367 and 370 are, byte for
    // byte, the valid 357.
    const auto tally = run("json_web_signature_test.json", {{346, 350, 347, 351, 372, 373}, {367, 370}});
    CHECK(tally.tests == 401);
    CHECK(tally.accepted == 42);
}

TEST_CASE("Wycheproof: keys") {
    // 2: symmetric keys do not come in sets here. 7: a weak (ROCA) key that its issuer publishes is not
    // looked for.
    const auto tally = run("json_web_key_test.json", {{2}, {7}});
    CHECK(tally.tests == 26);
    CHECK(tally.accepted == 5);
}

TEST_CASE("Wycheproof: mixed") {
    const auto tally = run("json_web_crypto_test.json", {{48}, {46}});
    CHECK(tally.tests == 83);
    CHECK(tally.jwe == 34);
}

TEST_CASE("Wycheproof: encryptions") {
    // RSA1_5 and, the last, zip: neither is known here.
    const std::set<std::int64_t> stricter{100, 101, 102, 103, 104, 105, 112, 128, 135};
    const Json root(read_file(vectors_folder() + "/wycheproof/json_web_encryption_test.json"));
    int tests = 0, accepted = 0;
    root->find("testGroups")->each_element([&](const json::Value& group) {
        const auto jwk = *group.find("private");
        group.find("tests")->each_element([&](const json::Value& test) {
            ++tests;
            const auto id = *test.find("tcId")->integer();
            const std::string comment(*test.find("comment")->string());
            const auto compact = test.find("jwe")->string();
            std::string plaintext;
            const auto why = compact ? open_with(jwk, *compact, plaintext) : "the JSON serialization";
            CAPTURE(id, comment, why);
            bool expected = test.find("result")->string() == "valid";
            if (stricter.contains(id)) {
                CHECK(expected);
                expected = false;
            }
            CHECK(why.empty() == expected);
            if (why.empty()) {
                ++accepted;
                CHECK(hex(plaintext) == test.find("pt")->string());
            }
            return true;
        });
        return true;
    });
    CHECK(tests == 139);
    CHECK(accepted == 56);
}

}  // namespace
}  // namespace signet::test
