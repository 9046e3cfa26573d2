#include "gate/explain.hpp"

#include <array>

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "gate/near_miss.hpp"

namespace signet::gate {
namespace {

// In the order of Stage.
constexpr std::array<std::pair<const char*, const char*>, 20> stages{{
    {"path", "the path has one reading"},
    {"route", "a route matches"},
    {"credential", "one token is there"},
    {"csrf", "a cookie's request comes from the same origin"},
    {"size", "the token is not too large"},
    {"decryption", "an encrypted token opens, where any issuer has decryption"},
    {"parse", "three canonical base64url parts, strict JSON"},
    {"crit", "no crit header"},
    {"issuer", "iss is a configured issuer"},
    {"encryption", "encrypted where it must be, and for a key of its issuer"},
    {"algorithm", "alg is allowed for the issuer and fits the key"},
    {"key", "the issuer's key is known"},
    {"signature", "the signature holds"},
    {"type", "typ is accepted, and it is no ID, refresh or logout token"},
    {"claims", "claims have their types, required ones are there"},
    {"times", "exp, nbf, iat and lifetime"},
    {"audience", "aud names this service"},
    {"revocation", "not revoked"},
    {"route rules", "the route's issuers, audiences, scopes and claim rules"},
    {"done", ""},
}};

// The request that would carry the token in the first place where tokens are looked for.
std::string request_text(const ExplainedRequest& r, const http::Extraction& places) {
    std::string target = r.path;
    std::string lines;
    if (!places.headers.empty()) {
        lines = places.headers.front().name + ": " + places.headers.front().value_prefix + r.token + "\r\n";
    } else if (!places.cookies.empty()) {
        lines = "Cookie: " + places.cookies.front() + "=" + r.token + "\r\nSec-Fetch-Site: same-origin\r\n";
    } else if (!places.params.empty()) {
        target += (target.find('?') == std::string::npos ? "?" : "&") + places.params.front() + "=" + r.token;
    }
    if (r.token.empty()) lines.clear();
    return r.method + " " + target + " HTTP/1.1\r\nHost: " + r.host + "\r\n" + lines + "\r\n";
}

void take_parts(const std::string& token, Explanation& out) {
    jose::TokenReader reader;
    const auto parsed = reader.read(TokenText(token));
    if (!parsed) return;
    parsed->header.write(out.header_json, false);
    parsed->payload.write(out.claims_json, false);
}

void take_encryption(const std::string& token, Explanation& out) {
    jose::EncryptedTokenReader reader;
    if (const auto read = reader.read(TokenText(token))) read->header.write(out.encryption_json, false);
}

// What would go upstream, less the request line, and less the token itself where it is passed on.
std::vector<std::string> header_lines(std::string_view head, const std::string& token) {
    std::vector<std::string> out;
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.starts_with("\r\n")) {
        const auto end = head.find("\r\n");
        std::string line(head.substr(0, end));
        if (const auto at = line.find(token); !token.empty() && at != std::string::npos)
            line.replace(at, token.size(), "(the token)");
        out.push_back(std::move(line));
        head.remove_prefix(end + 2);
    }
    return out;
}

const char* word(ExplainedCheck::Outcome o) {
    switch (o) {
        case ExplainedCheck::Outcome::passed:
            return "passed";
        case ExplainedCheck::Outcome::failed:
            return "failed";
        case ExplainedCheck::Outcome::not_reached:
            break;
    }
    return "not reached";
}

const char* word(Explanation::Verdict v) {
    return v == Explanation::Verdict::admitted  ? "admitted"
           : v == Explanation::Verdict::refused ? "refused"
                                                : "undecided";
}

}  // namespace

std::string token_from_text(std::string_view text) {
    // The first line that says something.
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    auto line = trim_ows(text.substr(0, text.find_first_of("\r\n")));
    constexpr std::string_view header = "authorization:";
    if (line.size() > header.size() && iequals(line.substr(0, header.size()), header))
        line = trim_ows(line.substr(header.size()));
    constexpr std::string_view scheme = "bearer ";
    if (line.size() > scheme.size() && iequals(line.substr(0, scheme.size()), scheme))
        line = trim_ows(line.substr(scheme.size()));
    return std::string(line);
}

Explanation explain(Gate& gate, const UpstreamForms& forms, const ExplainedRequest& request,
                    const Moment& now, std::string not_looked_at) {
    Explanation out;
    out.not_looked_at = std::move(not_looked_at);
    const auto& rules = gate.rules();

    const auto text = request_text(request, rules.http.extraction);
    const http::Peer peer{"127.0.0.1", false, false};
    http::RequestHead head;
    http::Target target;
    Decision decision;
    const http::HeadLimits no_limits{std::size_t{1} << 30, 100};
    if (const auto bad = http::parse_request_head(text, rules.http.names, no_limits, head)) {
        decision.refusal = {Reason::bad_request, bad->detail};
        decision.status = bad->status;
    } else {
        decision = gate.decide(head, target, peer, now, KeyWait::none);
        // Asked again as if the fetch had ended: there is nobody here to wait for it.
        if (decision.kind == Decision::Kind::need_keys)
            decision = gate.decide(
                head, target, peer, now,
                gate.keys_of(decision.issuer).last_fetch_good ? KeyWait::fetched : KeyWait::failed);
    }

    if (!decision.inner.empty()) take_encryption(request.token, out);
    const std::string inner(decision.inner.empty() ? request.token : decision.inner.reveal());
    take_parts(inner, out);
    if (decision.route >= 0) out.route = rules.routes.at(static_cast<std::uint16_t>(decision.route)).name;
    if (decision.issuer >= 0) out.issuer = rules.issuers[static_cast<std::size_t>(decision.issuer)].name;
    if (decision.kind == Decision::Kind::metadata) {
        out.verdict = Explanation::Verdict::admitted;
        out.checks.push_back({"metadata", ExplainedCheck::Outcome::passed,
                              "Signet answers this path itself, without a token: what is protected here"});
        return out;
    }
    const bool forwarded = decision.kind == Decision::Kind::allow;
    out.lifted = forwarded && decision.allow->is_lifted();
    const bool admitted = forwarded && !out.lifted;
    const bool blind = !out.not_looked_at.empty();
    for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
        using enum ExplainedCheck::Outcome;
        const auto at = static_cast<Stage>(i);
        const bool skipped = at == Stage::revocation && blind;
        const auto outcome = at > decision.stage || skipped      ? not_reached
                             : at == decision.stage && !admitted ? failed
                                                                 : passed;
        out.checks.push_back({stages[i].first, outcome,
                              outcome == failed ? decision.refusal.detail
                              : skipped         ? "not looked at here"
                                                : stages[i].second});
    }
    if (forwarded) {
        const auto upstream = rules.routes.at(static_cast<std::uint16_t>(decision.route)).upstream;
        std::string buffer;
        out.upstream_headers =
            header_lines(http::make_upstream_head(buffer, head, target, *decision.allow, peer,
                                                  "(made for each request)", *forms[upstream], rules.http)
                             .text(),
                         request.token);
    }
    if (admitted) {
        out.verdict = Explanation::Verdict::admitted;
        return out;
    }
    out.reason = decision.refusal.reason;
    out.status = decision.status != 0 ? decision.status : info(*out.reason).status;
    out.verdict = *out.reason == Reason::keys_unavailable ? Explanation::Verdict::undecided
                                                          : Explanation::Verdict::refused;
    out.why = decision.refusal.detail;
    out.advice = info(*out.reason).advice;
    out.scope = decision.refusal.scope;
    out.hint = near_miss(inner, decision, rules,
                         decision.issuer >= 0 ? &gate.keys_of(decision.issuer) : nullptr, now.wall);
    return out;
}

std::string Explanation::to_json() const {
    std::string out;
    json::Writer w(out);
    w.object().member("verdict", word(verdict)).member("admitted", verdict == Verdict::admitted);
    w.key("reason");
    if (reason)
        w.value(signet::word(*reason));
    else
        w.null();
    if (reason)
        w.member("status", status)
            .member("title", info(*reason).title)
            .member("why", why)
            .member("advice", advice)
            .member("hint", hint)
            .member("lifted", lifted);
    if (!scope.empty()) w.member("scope", scope);
    w.member("route", route).member("issuer", issuer);
    w.key("checks").array();
    for (const auto& c : checks)
        w.object()
            .member("check", c.name)
            .member("outcome", word(c.outcome))
            .member("detail", c.detail)
            .end_object();
    w.end_array();
    w.key("encryption").raw(encryption_json.empty() ? "null" : encryption_json);
    w.key("header").raw(header_json.empty() ? "null" : header_json);
    w.key("claims").raw(claims_json.empty() ? "null" : claims_json);
    w.key("upstream_headers").array();
    for (const auto& h : upstream_headers) w.value(h);
    w.end_array().member("not_looked_at", not_looked_at).end_object();
    return out;
}

std::string Explanation::to_text() const {
    std::string out = word(verdict);
    if (reason) out += ": " + std::string(signet::word(*reason)) + " (" + std::to_string(status) + ")";
    out += '\n';
    if (reason) out += "  why:    " + why + "\n  to do:  " + advice + "\n";
    if (!hint.empty()) out += "  hint:   " + hint + "\n";
    if (lifted) out += "  but:    the route's mode is report_only, so the request is let through as it is\n";
    if (!route.empty()) out += "  route:  " + route + "\n";
    if (!issuer.empty()) out += "  issuer: " + issuer + "\n";
    out += "checks:\n";
    for (const auto& c : checks) {
        const char* mark = c.outcome == ExplainedCheck::Outcome::passed   ? "ok  "
                           : c.outcome == ExplainedCheck::Outcome::failed ? "FAIL"
                                                                          : "-   ";
        out += std::string("  ") + mark + " " + c.name +
               std::string(c.name.size() < 12 ? 12 - c.name.size() : 1, ' ') + c.detail + "\n";
    }
    if (!encryption_json.empty()) out += "encrypted: " + encryption_json + "\n";
    if (!header_json.empty()) out += "header:  " + header_json + "\nclaims:  " + claims_json + "\n";
    if (!upstream_headers.empty()) out += "the upstream gets:\n";
    for (const auto& h : upstream_headers) out += "  " + h + "\n";
    if (!not_looked_at.empty()) out += "not looked at: " + not_looked_at + "\n";
    return out;
}

}  // namespace signet::gate
