#include "jose/algorithm.hpp"

#include <array>

namespace signet::jose {
namespace {

constexpr std::array<std::string_view, algorithm_count> names_in_order{
    "RS256",   "RS384", "RS512",  "PS256",     "PS384",     "PS512",     "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519", "Ed448", "ES256K", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "HS256", "HS384", "HS512"};

std::optional<Algorithm> known(std::string_view name) {
    for (std::size_t i = 0; i < names_in_order.size(); ++i)
        if (names_in_order[i] == name) return static_cast<Algorithm>(i);
    return std::nullopt;
}

}  // namespace

std::optional<Algorithm> algorithm_from(std::string_view name) {
    const auto a = known(name);
    return a && is_ml_dsa(*a) && !has_ml_dsa() ? std::nullopt : a;
}

std::string why_unknown(std::string_view name) {
    const auto a = known(name);
    return a && is_ml_dsa(*a) && !has_ml_dsa() ? "; ML-DSA is not in this build, it needs OpenSSL 3.5" : "";
}

std::string_view name_of(Algorithm a) { return names_in_order[static_cast<std::size_t>(a)]; }

std::string AlgorithmSet::names() const {
    std::string out;
    for (int i = 0; i < algorithm_count; ++i) {
        const auto a = static_cast<Algorithm>(i);
        if (!has(a)) continue;
        if (has(Algorithm::EdDSA) && (a == Algorithm::Ed25519 || a == Algorithm::Ed448)) continue;
        if (!out.empty()) out += ", ";
        out += name_of(a);
    }
    return out;
}

}  // namespace signet::jose
