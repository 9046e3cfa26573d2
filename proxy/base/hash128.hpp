// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein): a keyed hash, so that nobody outside can choose
// collisions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace signet {

struct Hash128 {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    friend bool operator==(const Hash128&, const Hash128&) = default;
};

struct HashSeed {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
};

HashSeed random_seed();  // from the operating system

Hash128 siphash128(HashSeed seed, std::string_view bytes);

}  // namespace signet
