#include "base/hash128.hpp"

#include <bit>
#include <cstring>
#include <random>

namespace signet {
namespace {

struct State {
    std::uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
    void rounds(int n) {
        for (int i = 0; i < n; ++i) round();
    }
    void absorb(std::uint64_t m) {
        v3 ^= m;
        rounds(2);
        v0 ^= m;
    }
};

std::uint64_t little_endian(const char* p, std::size_t n) {
    std::uint64_t m = 0;
    for (std::size_t i = 0; i < n; ++i) m |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    return m;
}

}  // namespace

HashSeed random_seed() {
    std::random_device device;
    const auto word = [&] { return (std::uint64_t{device()} << 32) | device(); };
    return {word(), word()};
}

Hash128 siphash128(HashSeed seed, std::string_view bytes) {
    State s{seed.k0 ^ 0x736f6d6570736575ULL, seed.k1 ^ 0x646f72616e646f6dULL ^ 0xee,
            seed.k0 ^ 0x6c7967656e657261ULL, seed.k1 ^ 0x7465646279746573ULL};
    const std::size_t whole = bytes.size() / 8 * 8;
    for (std::size_t i = 0; i < whole; i += 8) s.absorb(little_endian(bytes.data() + i, 8));
    s.absorb((std::uint64_t{bytes.size()} << 56) | little_endian(bytes.data() + whole, bytes.size() - whole));
    s.v2 ^= 0xee;
    s.rounds(4);
    const std::uint64_t low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xdd;
    s.rounds(4);
    return {low, s.v0 ^ s.v1 ^ s.v2 ^ s.v3};
}

}  // namespace signet
