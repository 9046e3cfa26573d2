#include "net/request_record.hpp"

#include <charconv>

#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace signet::net {
namespace {

void member(std::string& out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    json::write_string(out, value);
}

void member(std::string& out, std::string_view name, std::uint64_t value) {
    out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

}  // namespace

void begin_access_line(RequestRecord& record, std::string_view client, std::string_view method,
                       std::string_view host, std::string_view path) {
    auto& out = record.line;
    const auto ago =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - record.started);
    out.assign("{\"ts\":\"").append(rfc3339((wall_now() - ago).time_since_epoch().count()));
    out.append("\",\"level\":\"info\",\"msg\":\"access\"");
    member(out, "request_id", record.id);
    member(out, "client", client);
    member(out, "method", method);
    member(out, "host", host);
    member(out, "path", path);
}

void end_access_line(RequestRecord& record, const gate::Rules& rules, std::string_view upstream,
                     SteadyTime now) {
    auto& out = record.line;
    if (record.route >= 0 && static_cast<std::size_t>(record.route) < rules.routes.size())
        member(out, "route", rules.routes.at(static_cast<std::uint16_t>(record.route)).name);
    member(out, "status", static_cast<std::uint64_t>(record.status));
    member(out, "decision", telemetry::outcome_words[static_cast<std::size_t>(record.outcome)]);
    if (record.reason) member(out, "reason", word(*record.reason));
    if (record.would_deny) member(out, "would_deny", word(*record.would_deny));
    if (record.issuer >= 0 && static_cast<std::size_t>(record.issuer) < rules.issuers.size())
        member(out, "issuer", rules.issuers[static_cast<std::size_t>(record.issuer)].name);
    if (record.token) {
        if (!record.token->kid().empty()) member(out, "kid", record.token->kid());
        if (!record.token->jti().empty()) member(out, "jti", record.token->jti());
        out.append(record.token->logged_claims());
    }
    if (!upstream.empty()) {
        member(out, "upstream", upstream);
        member(out, "upstream_status", static_cast<std::uint64_t>(record.upstream_status));
    }
    member(out, "bytes_in", record.bytes_in);
    member(out, "bytes_out", record.bytes_out);
    char text[32];
    const double ms = std::chrono::duration<double, std::milli>(now - record.started).count();
    const auto end = std::to_chars(text, text + sizeof text, ms, std::chars_format::fixed, 3).ptr;
    out.append(",\"duration_ms\":").append(text, static_cast<std::size_t>(end - text)).append("}");
}

}  // namespace signet::net
