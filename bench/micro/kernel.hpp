// One step of a request's way, made ready to be repeated.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace signet::bench {

struct Kernel {
    std::string name;
    bool guarded = false;  // bench/guard.sh counts its instructions
    // Does the step so many times. Everything that it needs is made before.
    std::function<void(std::size_t)> repeat;
};

// The steps that every request takes.
std::vector<Kernel> path_kernels();
// Signatures: ours, and OpenSSL's own verification in a loop, one beside the other.
std::vector<Kernel> signature_kernels();

// The optimiser must believe that somebody looks at it.
template <class T>
inline void keep(const T& value) {
    asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace signet::bench
