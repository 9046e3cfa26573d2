// Durations in fixed buckets. One thread's; added up at scrape time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace signet::telemetry {

struct Histogram {
    // Upper bounds in seconds: from a refusal at once to a slow upstream.
    static constexpr std::array<double, 14> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                   0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
    static constexpr std::array<std::int64_t, 14> bounds_ns{
        100'000,    250'000,    500'000,     1'000'000,   2'500'000,   5'000'000,     10'000'000,
        25'000'000, 50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};

    std::array<std::uint64_t, 15> counts{};  // the last: beyond all bounds
    std::int64_t sum_ns = 0;

    void observe(std::chrono::nanoseconds d) {
        std::size_t i = 0;
        while (i < bounds_ns.size() && d.count() > bounds_ns[i]) ++i;
        ++counts[i];
        sum_ns += d.count();
    }
    void add(const Histogram& other) {
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
        sum_ns += other.sum_ns;
    }
};

}  // namespace signet::telemetry
