#include "jose/algorithm.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace signet::jose {
namespace {

using namespace std::literals;

TEST_CASE("nineteen names are algorithms, each its own; those of ML-DSA where OpenSSL has it") {
    AlgorithmSet all;
    for (int i = 0; i < algorithm_count; ++i) {
        const auto a = static_cast<Algorithm>(i);
        CAPTURE(name_of(a));
        CHECK(algorithm_from(name_of(a)) ==
              (is_ml_dsa(a) && !has_ml_dsa() ? std::nullopt : std::optional(a)));
        CHECK_FALSE(all.has(a));
        all.add(a);
        CHECK(all.has(a));
    }
    CHECK(
        all.names() ==
        "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, ES256K, ML-DSA-44, ML-DSA-65, "
        "ML-DSA-87, HS256, HS384, HS512");
}

TEST_CASE("no other spelling is an algorithm") {
    for (const auto name :
         {""sv,       "none"sv,   "None"sv,     "nOnE"sv,      "NONE"sv,      "none "sv,   "rs256"sv,
          "Rs256"sv,  " RS256"sv, "RS256 "sv,   "RS256\0"sv,   "RS2567"sv,    "RS25"sv,    "ES521"sv,
          "ES256k"sv, "EdDsa"sv,  "ML-DSA"sv,   "ml-dsa-44"sv, "ML-DSA-56"sv, "MLDSA44"sv, "ed25519"sv,
          "ESP256"sv, "HS1"sv,    "HS256/64"sv, "RSA-OAEP"sv,  "dir"sv,       "ECDH-ES"sv}) {
        CAPTURE(name);
        CHECK_FALSE(algorithm_from(name));
    }
    CHECK_FALSE(algorithm_from(std::string(5000, 'R')));
}

TEST_CASE("the algorithms with a shared secret are told from those with a key pair") {
    for (int i = 0; i < algorithm_count; ++i) {
        const auto a = static_cast<Algorithm>(i);
        CAPTURE(name_of(a));
        CHECK(is_hmac(a) == name_of(a).starts_with("HS"));
        CHECK(is_ml_dsa(a) == name_of(a).starts_with("ML-DSA-"));
        CHECK(asymmetric_algorithms.has(a) == (!is_hmac(a) && !is_ml_dsa(a) && a != Algorithm::ES256K));
    }
}

TEST_CASE("EdDSA allows either curve by its own name too; a curve's name allows nothing else") {
    CHECK(meant_by(Algorithm::EdDSA) == AlgorithmSet{Algorithm::EdDSA, Algorithm::Ed25519, Algorithm::Ed448});
    CHECK(meant_by(Algorithm::Ed25519) == AlgorithmSet{Algorithm::Ed25519});
    CHECK(meant_by(Algorithm::ES256K) == AlgorithmSet{Algorithm::ES256K});
    CHECK(AlgorithmSet{Algorithm::Ed448, Algorithm::Ed25519}.names() == "Ed25519, Ed448");
}

TEST_CASE("sets of algorithms intersect") {
    const AlgorithmSet some{Algorithm::RS256, Algorithm::ES256, Algorithm::HS256};
    CHECK((some & asymmetric_algorithms) == AlgorithmSet{Algorithm::ES256, Algorithm::RS256});
    CHECK((some & AlgorithmSet{Algorithm::PS256}).empty());
    CHECK(AlgorithmSet{}.names().empty());
}

}  // namespace
}  // namespace signet::jose
