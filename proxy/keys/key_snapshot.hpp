// What a worker knows of one issuer's keys at one moment. Immutable, shared; a new one is posted when
// anything changes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "jose/key_set.hpp"
#include "keys/absent_kids.hpp"

namespace signet::keys {

// A kid that a set had once, and when it was seen to be gone: for people.
struct DepartedKid {
    std::string kid;
    WallTime at;
};

struct KeySnapshot {
    std::shared_ptr<const jose::KeySet> set;  // null: none yet, or older than max_stale
    bool remote = false;                      // can be fetched again
    bool last_fetch_good = false;
    bool fetching = false;      // a fetch is on its way
    SteadyTime flight_began{};  // when that one, or else the last one, began
    SteadyTime refetch_from{};  // an unknown kid may cause a fetch from then on
    std::uint64_t fetches = 0;  // ended ones, good or bad: tells a waiting request that its fetch is over
    std::shared_ptr<const std::vector<DepartedKid>> departed;  // the last ones; null: none
    HashSeed kid_seed{};                                       // kids leave the worker as hashes of this seed
    std::shared_ptr<const std::vector<AbsentKids::Quiet>> quiet_kids;  // null: none

    // A kid that no key has: nullopt where it may cause no fetch, since several were in vain.
    [[nodiscard]] std::optional<Hash128> wanted(std::string_view kid, SteadyTime now) const;
};

inline constexpr std::size_t max_candidates = 8;

// The keys that may verify a token.
struct Candidates {
    std::array<const jose::VerificationKey*, max_candidates> keys{};
    std::size_t count = 0;
    bool kid_known = false;  // the token names no kid, or a key has it
};

// Every key that fits `alg` and whose kid, where token and key both have one, is the same. tenant: the
// token's `iss`, where its issuer has many; then a key that names another issuer counts as not there.
Candidates choose_keys(const jose::KeySet& set, std::optional<std::string_view> kid, jose::Algorithm alg,
                       std::optional<std::string_view> tenant = {});

}  // namespace signet::keys
