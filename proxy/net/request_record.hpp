// What is said of one request afterwards: its access line and its counters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/reason.hpp"
#include "gate/gate.hpp"
#include "telemetry/worker_metrics.hpp"

namespace signet::net {

struct RequestRecord {
    SteadyTime started{};
    std::string id;  // X-Request-Id
    std::string
        line;  // the beginning of the access line, written while the head was at hand; empty: none is wanted
    telemetry::Outcome outcome = telemetry::Outcome::deny;
    std::optional<Reason> reason;      // of a refusal, or of an upstream's failure
    std::optional<Reason> would_deny;  // what report_only lifted
    int status = 0;
    int route = -1;
    int issuer = -1;
    gate::TokenPtr token;  // verified
    int upstream = -1;
    int upstream_status = 0;
    bool to_head = false;
    bool http11 = true;
    std::uint64_t bytes_in = 0;  // of the body
    std::uint64_t bytes_out = 0;

    void reset(SteadyTime now) {
        started = now;
        id.clear();
        line.clear();
        outcome = telemetry::Outcome::deny;
        reason.reset();
        would_deny.reset();
        status = 0;
        route = issuer = upstream = -1;
        token.reset();
        upstream_status = 0;
        to_head = false;
        http11 = true;
        bytes_in = bytes_out = 0;
    }
};

// Writes what only the head knows. client: address text.
void begin_access_line(RequestRecord& record, std::string_view client, std::string_view method,
                       std::string_view host, std::string_view path);
// Completes the line.
void end_access_line(RequestRecord& record, const gate::Rules& rules, std::string_view upstream,
                     SteadyTime now);

}  // namespace signet::net
