// The /metrics page (Prometheus text format, by prometheus-cpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/worker_metrics.hpp"

namespace signet::telemetry {

struct IssuerFigures {
    std::string name;
    std::uint64_t fetches_good = 0;
    std::uint64_t fetches_failed = 0;
    std::optional<double> age_seconds;
};

struct Totals {
    WorkerMetrics workers;
    std::vector<IssuerFigures> issuers;
    std::uint64_t revocation_entries = 0;
    double revocation_lag_seconds = 0;
    bool last_reload_good = true;
    std::uint64_t reloads_good = 0;
    std::uint64_t reloads_failed = 0;
    std::string version;
};

std::string metrics_text(const Totals& totals);

}  // namespace signet::telemetry
