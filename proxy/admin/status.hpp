// What the instance says of itself, as values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "telemetry/metrics_text.hpp"

namespace signet::admin {

struct KeyStatus {
    std::optional<std::string> kid;
    std::string kty;
    std::string alg;  // those that it verifies
};

struct SkippedKeyStatus {
    std::string kid;
    std::string why;
};

struct IssuerStatus {
    std::string name;
    std::string issuer;
    bool has_keys = false;
    std::vector<KeyStatus> keys;
    std::vector<SkippedKeyStatus> skipped;
    std::string jwks_uri;  // where a fetched set came from; else empty
    std::optional<WallTime> last_success;
    std::optional<double> age_seconds;  // since last_success; only of keys that are fetched
    std::string last_error;
    std::optional<WallTime> next_refresh;  // absent: never (inline, files)
    bool stale = false;
    bool required_for_ready = true;
    bool ever_good = false;
};

struct UpstreamStatus {
    std::string name;
    std::vector<std::string> endpoints;
};

struct Facts {
    std::string version;
    double uptime_seconds = 0;
    std::string config_sha256;
    bool ready = false;
    std::vector<IssuerStatus> issuers;
    std::string revocation_store;
    std::size_t revocation_entries = 0;
    std::vector<UpstreamStatus> upstreams;
    telemetry::Totals totals;  // of the workers, where they were asked
};

std::string status_json(const Facts& facts);

}  // namespace signet::admin
