// What one worker counts: plain numbers, no locks, no atomics. The worker hands a copy over when asked.
// Labels come from the configuration or a fixed set, never from a token.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "base/reason.hpp"
#include "telemetry/histogram.hpp"

namespace signet::telemetry {

enum class Outcome : std::uint8_t { allow, anonymous, open, deny, would_deny };
inline constexpr std::array<const char*, 5> outcome_words{"allow", "anonymous", "public", "deny",
                                                          "would_deny"};

struct RouteCounters {
    std::array<std::uint64_t, outcome_words.size()> by_outcome{};
};

struct DenialLabels {
    Reason reason;
    std::string issuer;
    std::string route;
    auto operator<=>(const DenialLabels&) const = default;
};

struct WorkerMetrics {
    std::map<std::string, RouteCounters> routes;  // references into a map stay good
    std::map<DenialLabels, std::uint64_t> denied;
    std::map<DenialLabels, std::uint64_t> would_deny;                        // lifted by report_only
    std::map<std::pair<std::string, int>, std::uint64_t> upstream_requests;  // upstream, code; 0: no answer
    Histogram request_duration;
    std::map<std::string, Histogram> verify_duration;  // by alg
    std::uint64_t cache_hits = 0;
    std::uint64_t cache_misses = 0;
    std::uint64_t claims_left_out = 0;
    std::uint64_t access_lines_dropped = 0;
    std::int64_t client_connections = 0;
    std::int64_t upstream_connections = 0;
    // Gauges of the token cache, set when a copy is handed over.
    std::uint64_t cache_entries = 0;
    std::uint64_t cache_bytes = 0;

    void add(const WorkerMetrics& other);
};

}  // namespace signet::telemetry
