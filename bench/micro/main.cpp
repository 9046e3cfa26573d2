// bench_micro                times every kernel: nanoseconds, the median and the least of several rounds
// bench_micro --list         the guarded kernels, by number
// bench_micro NUMBER COUNT   repeats one, for bench/guard.sh
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "micro/kernel.hpp"

namespace {

using namespace signet::bench;
using Clock = std::chrono::steady_clock;

double nanoseconds_each(const Kernel& kernel, std::size_t count) {
    const auto began = Clock::now();
    kernel.repeat(count);
    return std::chrono::duration<double, std::nano>(Clock::now() - began).count() /
           static_cast<double>(count);
}

void time_one(const Kernel& kernel) {
    constexpr double round_ns = 1e8;
    constexpr int rounds = 9;
    const auto count =
        std::max<std::size_t>(10, static_cast<std::size_t>(round_ns / nanoseconds_each(kernel, 100)));
    double found[rounds];
    for (double& ns : found) ns = nanoseconds_each(kernel, count);
    std::sort(found, found + rounds);
    std::printf("%-40s %12.1f ns %12.1f ns\n", kernel.name.c_str(), found[rounds / 2], found[0]);
    std::fflush(stdout);
}

}  // namespace

// By this name callgrind knows where to begin to count.
extern "C" [[gnu::noinline]] void counted(const Kernel& kernel, std::size_t count) { kernel.repeat(count); }

int main(int count, char** arguments) {
    const auto path = path_kernels();
    if (count == 2 && std::strcmp(arguments[1], "--list") == 0) {
        for (std::size_t i = 0; i < path.size(); ++i)
            if (path[i].guarded) std::printf("%zu\t%s\n", i, path[i].name.c_str());
        return 0;
    }
    if (count == 3) {
        const auto which = std::strtoul(arguments[1], nullptr, 10);
        if (which >= path.size()) return 64;
        path[which].repeat(100);  // warm
        counted(path[which], std::strtoul(arguments[2], nullptr, 10));
        return 0;
    }
    if (count != 1) return 64;
    std::printf("%-40s %15s %15s\n", "", "median", "least");
    for (const auto& kernel : path) time_one(kernel);
    for (const auto& kernel : signature_kernels()) time_one(kernel);
    return 0;
}
