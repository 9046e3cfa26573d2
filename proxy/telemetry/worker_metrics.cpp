#include "telemetry/worker_metrics.hpp"

namespace signet::telemetry {

void WorkerMetrics::add(const WorkerMetrics& other) {
    for (const auto& [name, counters] : other.routes)
        for (std::size_t i = 0; i < counters.by_outcome.size(); ++i)
            routes[name].by_outcome[i] += counters.by_outcome[i];
    for (const auto& [labels, n] : other.denied) denied[labels] += n;
    for (const auto& [labels, n] : other.would_deny) would_deny[labels] += n;
    for (const auto& [labels, n] : other.upstream_requests) upstream_requests[labels] += n;
    request_duration.add(other.request_duration);
    for (const auto& [alg, histogram] : other.verify_duration) verify_duration[alg].add(histogram);
    cache_hits += other.cache_hits;
    cache_misses += other.cache_misses;
    claims_left_out += other.claims_left_out;
    access_lines_dropped += other.access_lines_dropped;
    client_connections += other.client_connections;
    upstream_connections += other.upstream_connections;
    cache_entries += other.cache_entries;
    cache_bytes += other.cache_bytes;
}

}  // namespace signet::telemetry
