#include "admin/api.hpp"

#include <algorithm>

#include "admin/dashboard.hpp"
#include "admin/revocation_requests.hpp"
#include "base/json_writer.hpp"

namespace signet::admin {
namespace {

constexpr std::size_t page_size = 1000;

PlainResponse problem(int status, std::string_view title, std::string_view detail) {
    PlainResponse out;
    out.status = status;
    out.content_type = "application/problem+json";
    json::Writer w(out.body);
    w.object()
        .member("type", "about:blank")
        .member("title", title)
        .member("status", status)
        .member("detail", detail)
        .end_object();
    return out;
}

PlainResponse text(int status, std::string body) {
    return {status, "text/plain; charset=utf-8", std::move(body)};
}

PlainResponse wrong_method(const char* allowed) {
    auto out = problem(405, "Method not allowed", "This resource takes " + std::string(allowed) + ".");
    out.headers.emplace_back("Allow", allowed);
    return out;
}

std::optional<PlainResponse> check_credentials(const PlainRequest& request, const Settings& settings,
                                               const std::optional<std::string>& token) {
    if (!settings.api)
        return problem(404, "Not found",
                       "Without admin.token_file there is no /v1 on an address that is not loopback.");
    if (!token) return std::nullopt;
    constexpr std::string_view scheme = "Bearer ";
    const auto given = request.header("Authorization");
    if (!token->empty() && given.size() > scheme.size() && iequals(given.substr(0, scheme.size()), scheme) &&
        same_secret(given.substr(scheme.size()), *token))
        return std::nullopt;
    auto out = problem(401, "Unauthorized", "Send the contents of admin.token_file as a bearer token.");
    out.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"signet-admin\"");
    return out;
}

bool is_ip_or_local(std::string_view host, const Settings& settings) {
    if (host.starts_with('['))
        return std::ranges::all_of(host.substr(1, host.find(']') - 1),
                                   [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
    const auto name = host.substr(0, host.find(':'));
    if (iequals(name, "localhost") || (!settings.host_name.empty() && iequals(name, settings.host_name)))
        return true;
    // a.b.c.d: a name of this look is an address to every resolver.
    int parts = 0;
    std::string_view rest = name;
    while (true) {
        const auto part = rest.substr(0, rest.find('.'));
        const auto number = parse_decimal(part);
        if (!number || *number > 255) return false;
        ++parts;
        if (part.size() == rest.size()) return parts == 4;
        rest.remove_prefix(part.size() + 1);
    }
}

// A browser that somebody led here must not change anything, whatever it can reach.
std::optional<PlainResponse> check_change(const PlainRequest& request, const Settings& settings) {
    const auto type = request.header("Content-Type");
    const auto media = trim_ows(type.substr(0, type.find(';')));
    const bool has_body = !request.body.empty();
    if ((has_body || !type.empty()) && !iequals(media, "application/json"))
        return problem(415, "Unsupported media type", "Send Content-Type: application/json.");
    if (!is_ip_or_local(request.header("Host"), settings))
        return problem(403, "Forbidden",
                       "The Host is neither an IP address, nor localhost, nor the configured name.");
    const auto site = request.header("Sec-Fetch-Site");
    if (!site.empty() && site != "same-origin" && site != "none")
        return problem(403, "Forbidden", "The request comes from another site.");
    const auto origin = request.header("Origin");
    const auto scheme = origin.find("://");
    if (!origin.empty() &&
        (scheme == std::string_view::npos || !iequals(origin.substr(scheme + 3), request.header("Host"))))
        return problem(403, "Forbidden", "The Origin is another one.");
    return std::nullopt;
}

bool is_change(const PlainRequest& request) {
    return request.method != "GET" && request.method != "HEAD" && request.path() != "/v1/explain";
}

std::string query_value(const PlainRequest& request, std::string_view name) {
    const auto question = request.target.find('?');
    std::string_view rest = question == std::string::npos
                                ? std::string_view{}
                                : std::string_view(request.target).substr(question + 1);
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto pair = rest.substr(0, end);
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
            return std::string(pair.substr(name.size() + 1));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return {};
}

// changed: what the request made, as a path.
PlainResponse revocations(const PlainRequest& request, Actions& actions, WallTime now, std::string& changed) {
    if (request.method == "GET") {
        const auto entries = actions.ledger.list(query_value(request, "cursor"), page_size);
        if (!entries) return problem(503, "The store is away", entries.error().message);
        return {200, "application/json",
                entries_json(*entries, entries->size() == page_size ? entries->back().target.id() : "")};
    }
    if (request.method != "POST") return wrong_method("GET, POST");
    const auto entry = parse_revocation(request.body, now);
    if (!entry) return problem(400, "Bad request", entry.error().message);
    const auto kept = actions.ledger.put(*entry, now);
    if (!kept) return problem(503, "The store is away", kept.error().message + "; nothing was applied");
    changed = "/v1/revocations/" + kept->target.id();
    return {201, "application/json", entry_json(*kept, true)};
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool encoded = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                             hex_value(text[i + 2]) >= 0;
        out += encoded ? static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])) : text[i];
        if (encoded) i += 2;
    }
    return out;
}

bool is_id(std::string_view text) {
    return text.size() == 32 && std::ranges::all_of(text, [](char c) { return hex_value(c) >= 0; });
}

PlainResponse one_revocation(const PlainRequest& request, std::string_view id, Actions& actions) {
    if (request.method != "DELETE") return wrong_method("DELETE");
    const auto removed = actions.ledger.remove(id);
    if (!removed) return problem(503, "The store is away", removed.error().message);
    if (!*removed) return problem(404, "Not found", "No revocation has this id.");
    return {204, "", ""};
}

PlainResponse v1(const PlainRequest& request, const Facts& facts, Actions& actions, const Settings& settings,
                 bool has_token, WallTime now, std::string& changed) {
    const auto path = request.path();
    // Without a token the name by which a browser came here is all that tells a rebound one.
    if (!has_token && !is_ip_or_local(request.header("Host"), settings))
        return problem(403, "Forbidden",
                       "The Host is neither an IP address, nor localhost, nor the configured name.");
    if (is_change(request))
        if (auto refused = check_change(request, settings)) return *refused;
    if (path == "/v1/status")
        return request.method == "GET" ? PlainResponse{200, "application/json", status_json(facts)}
                                       : wrong_method("GET");
    if (path == "/v1/revocations") return revocations(request, actions, now, changed);
    constexpr std::string_view one = "/v1/revocations/", issuers = "/v1/issuers/", refresh = "/refresh";
    if (path.starts_with(one) && is_id(path.substr(one.size())))
        return one_revocation(request, path.substr(one.size()), actions);
    if (path == "/v1/explain") {
        if (request.method != "POST") return wrong_method("POST");
        return {200, "application/json", actions.explain(request.body, request)};
    }
    if (path.starts_with(issuers) && path.ends_with(refresh) &&
        path.size() > issuers.size() + refresh.size()) {
        if (request.method != "POST") return wrong_method("POST");
        const auto name =
            percent_decoded(path.substr(issuers.size(), path.size() - issuers.size() - refresh.size()));
        if (!actions.refresh(name)) return problem(404, "Not found", "No issuer has this name.");
        return {202, "application/json", "{}"};
    }
    return problem(404, "Not found", "There is no such resource.");
}

}  // namespace

bool needs_figures(const PlainRequest& request) {
    return request.path() == "/metrics" || request.path() == "/v1/status";
}

PlainResponse handle(const PlainRequest& request, const Facts& facts, Actions& actions,
                     const Settings& settings, const std::optional<std::string>& token, bool full,
                     WallTime now) {
    const auto path = request.path();
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (path == "/healthz") return reads ? text(200, "ok\n") : wrong_method("GET");
    if (path == "/readyz")
        return reads ? text(facts.ready ? 200 : 503, facts.ready ? "ready\n" : "not ready\n")
                     : wrong_method("GET");
    if (path == "/metrics") {
        if (!reads) return wrong_method("GET");
        return {200, "text/plain; version=0.0.4; charset=utf-8", telemetry::metrics_text(facts.totals)};
    }
    if (full && path == "/") {
        if (!reads) return wrong_method("GET");
        return {200,
                "text/html; charset=utf-8",
                std::string(dashboard_page()),
                {{"Content-Security-Policy", std::string(dashboard_policy())}}};
    }
    if (!full || (path != "/v1" && !path.starts_with("/v1/")))
        return problem(404, "Not found", "There is no such page.");
    const auto hosts =
        std::ranges::count_if(request.headers, [](const auto& h) { return iequals(h.first, "Host"); });
    if (hosts > 1) return problem(400, "Bad request", "More than one Host field.");
    if (auto refused = check_credentials(request, settings, token)) return *refused;
    std::string changed(path);
    auto answer = v1(request, facts, actions, settings, token.has_value(), now, changed);
    if (is_change(request)) actions.log_change(request.method, changed, answer.status);
    return answer;
}

}  // namespace signet::admin
