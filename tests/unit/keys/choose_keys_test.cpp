#include <catch2/catch.hpp>
#include <string>

#include "keys/key_snapshot.hpp"
#include "unit/jose/sample_keys.hpp"
#include "unit/support/printing.hpp"

namespace signet::keys {
namespace {

using namespace std::literals;
using namespace signet::test;
using jose::Algorithm;

jose::KeySet set_of(const std::vector<std::string>& jwks) {
    std::string text = "{\"keys\":[";
    for (const auto& jwk : jwks) text += (text.back() == '[' ? "" : ",") + jwk;
    auto set = jose::parse_jwk_set(text + "]}");
    REQUIRE(set);
    return std::move(*set);
}

std::string kid(const std::string& name) { return ",\"kid\":\"" + name + "\""; }

// The positions in the set of the keys chosen, and whether the kid counts as known.
std::string chosen(const jose::KeySet& set, std::optional<std::string_view> token_kid, Algorithm alg) {
    const auto candidates = choose_keys(set, token_kid, alg);
    std::string out = candidates.kid_known ? "known:" : "unknown:";
    for (std::size_t i = 0; i < candidates.count; ++i)
        out += " " + std::to_string(candidates.keys[i] - set.keys.data());
    return out;
}

TEST_CASE("a kid chooses its key, if that fits the algorithm") {
    const auto set = set_of({rsa_jwk(kid("r1")), rsa_jwk(R"(,"alg":"RS256","kid":"r2")"), ec_jwk(kid("e1"))});
    CHECK(chosen(set, "r1", Algorithm::RS256) == "known: 0");
    CHECK(chosen(set, "r1", Algorithm::PS512) == "known: 0");
    CHECK(chosen(set, "r2", Algorithm::RS256) == "known: 1");
    CHECK(chosen(set, "r2", Algorithm::RS512) == "known:");
    CHECK(chosen(set, "e1", Algorithm::ES256) == "known: 2");
    CHECK(chosen(set, "e1", Algorithm::RS256) == "known:");
    CHECK(chosen(set, "e1", Algorithm::HS256) == "known:");
}

TEST_CASE("a kid that no key has is unknown; it is compared byte for byte") {
    const auto set = set_of({rsa_jwk(kid("r1")), ec_jwk(kid("e1"))});
    for (const auto name : {"x"sv, "R1"sv, "r1 "sv, ""sv, "r"sv, "r1\0"sv}) {
        CAPTURE(name);
        CHECK(chosen(set, name, Algorithm::RS256) == "unknown:");
    }
}

TEST_CASE("a token without kid may be any key's that fits") {
    const auto set =
        set_of({rsa_jwk(kid("r1")), ec_jwk(kid("e1")), rsa_jwk(), rsa_jwk(R"(,"alg":"PS256","kid":"p")")});
    CHECK(chosen(set, std::nullopt, Algorithm::RS256) == "known: 0 2");
    CHECK(chosen(set, std::nullopt, Algorithm::PS256) == "known: 0 2 3");
    CHECK(chosen(set, std::nullopt, Algorithm::ES256) == "known: 1");
    CHECK(chosen(set, std::nullopt, Algorithm::EdDSA) == "known:");
}

TEST_CASE("a key without kid may be the one that the token names") {
    const auto set = set_of({rsa_jwk(), ec_jwk(kid("e1"))});
    CHECK(chosen(set, "anything", Algorithm::RS256) == "unknown: 0");
    CHECK(chosen(set, "anything", Algorithm::ES256) == "unknown:");
    CHECK(chosen(set, "e1", Algorithm::RS256) == "known: 0");
}

TEST_CASE("several keys of one kid are all tried") {
    const auto set = set_of({rsa_jwk(kid("k")), ec_jwk(kid("k")), rsa_jwk(kid("k"))});
    CHECK(chosen(set, "k", Algorithm::RS256) == "known: 0 2");
    CHECK(chosen(set, "k", Algorithm::ES256) == "known: 1");
}

TEST_CASE("at most eight keys are tried, and a key of the very name is among them") {
    std::vector<std::string> jwks(20, rsa_jwk());
    jwks.push_back(rsa_jwk(kid("named")));
    const auto set = set_of(jwks);
    CHECK(choose_keys(set, std::nullopt, Algorithm::RS256).count == max_candidates);
    const auto candidates = choose_keys(set, "named", Algorithm::RS256);
    CHECK(candidates.count == max_candidates);
    bool among_them = false;
    for (std::size_t i = 0; i < candidates.count; ++i)
        among_them = among_them || candidates.keys[i] == &set.keys.back();
    CHECK(among_them);
}

TEST_CASE("an empty kid is a kid") {
    const auto set = set_of({rsa_jwk(kid("")), rsa_jwk(kid("x"))});
    CHECK(chosen(set, "", Algorithm::RS256) == "known: 0");
    CHECK(chosen(set, std::nullopt, Algorithm::RS256) == "known: 0 1");
}

}  // namespace
}  // namespace signet::keys
