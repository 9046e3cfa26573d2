// JWS algorithms (RFC 7518 §3, RFC 8037 §3.1, RFC 8812 §3.2, RFC 9864 §2.2, RFC 9964 §5). An enum from the
// first byte on: no string decides at verify time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace signet::jose {

enum class Algorithm : std::uint8_t {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
    Ed25519,  // EdDSA, said in full
    Ed448,
    ES256K,
    ML_DSA_44,
    ML_DSA_65,
    ML_DSA_87,
    HS256,
    HS384,
    HS512
};

inline constexpr int algorithm_count = 19;

// Case-sensitive (RFC 7515 §4.1.1). `none` is not known here, so it can be neither configured nor met;
// neither is ML-DSA where has_ml_dsa() is false.
std::optional<Algorithm> algorithm_from(std::string_view name);
std::string_view name_of(Algorithm a);

// Whether this build, and the OpenSSL that it runs with, have ML-DSA: 3.5 and later do.
bool has_ml_dsa();
// Beside a refusal of `name`, which algorithm_from does not know: "; and why", or empty where there is no
// more to say.
std::string why_unknown(std::string_view name);

constexpr bool is_ml_dsa(Algorithm a) { return a >= Algorithm::ML_DSA_44 && a <= Algorithm::ML_DSA_87; }
constexpr bool is_hmac(Algorithm a) { return a >= Algorithm::HS256; }

class AlgorithmSet {
  public:
    constexpr AlgorithmSet() = default;
    constexpr AlgorithmSet(std::initializer_list<Algorithm> list) {
        for (const auto a : list) add(a);
    }
    constexpr void add(Algorithm a) { bits_ = static_cast<std::uint32_t>(bits_ | bit(a)); }
    [[nodiscard]] constexpr bool has(Algorithm a) const { return (bits_ & bit(a)) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    friend constexpr AlgorithmSet operator|(AlgorithmSet a, AlgorithmSet b) {
        a.bits_ = static_cast<std::uint32_t>(a.bits_ | b.bits_);
        return a;
    }
    friend constexpr AlgorithmSet operator&(AlgorithmSet a, AlgorithmSet b) {
        a.bits_ = static_cast<std::uint32_t>(a.bits_ & b.bits_);
        return a;
    }
    friend constexpr bool operator==(AlgorithmSet, AlgorithmSet) = default;
    // "RS256, ES256". Where EdDSA is there, what it stands for is not named beside it.
    [[nodiscard]] std::string names() const;

  private:
    static constexpr std::uint32_t bit(Algorithm a) {
        return static_cast<std::uint32_t>(1u << static_cast<unsigned>(a));
    }
    std::uint32_t bits_ = 0;
};

// What the name `a` allows where somebody names it: EdDSA is either curve, by either name.
constexpr AlgorithmSet meant_by(Algorithm a) {
    return a == Algorithm::EdDSA ? AlgorithmSet{a, Algorithm::Ed25519, Algorithm::Ed448} : AlgorithmSet{a};
}

// Without being named: all but HMAC, which needs a secret, ES256K, which few issuers have reason to use, and
// ML-DSA, which not every build has: what a configuration allows must not depend on that.
inline constexpr AlgorithmSet asymmetric_algorithms{Algorithm::RS256, Algorithm::RS384,   Algorithm::RS512,
                                                    Algorithm::PS256, Algorithm::PS384,   Algorithm::PS512,
                                                    Algorithm::ES256, Algorithm::ES384,   Algorithm::ES512,
                                                    Algorithm::EdDSA, Algorithm::Ed25519, Algorithm::Ed448};

}  // namespace signet::jose
