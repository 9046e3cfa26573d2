#include "http/deny_response.hpp"

#include "base/json_writer.hpp"

namespace signet::http {
namespace {

// RFC 6750 §3: error_description is %x20-21 / %x23-5B / %x5D-7E.
void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        const auto b = static_cast<unsigned char>(c);
        out += b < 0x20 || b > 0x7E || c == '"' || c == '\\' ? '\'' : c;
    }
    out += '"';
}

void append_challenge(std::string& out, const ReasonInfo& what, const Denial& denial,
                      const Answers& answers) {
    out.append("WWW-Authenticate: Bearer realm=");
    append_quoted(out, answers.realm);
    if (!what.oauth_error.empty()) {
        out.append(", error=\"").append(what.oauth_error).append("\"");
        if (answers.reasons) {
            out.append(", error_description=");
            std::string text(what.word);
            if (!denial.detail.empty()) text.append(": ").append(denial.detail);
            append_quoted(out, text);
        }
        if (!denial.scope.empty()) {
            out.append(", scope=");
            append_quoted(out, denial.scope);
        }
        out.append(denial.authentication);
    }
    if (!denial.resource_metadata.empty()) {
        out.append(", resource_metadata=");
        append_quoted(out, denial.resource_metadata);
    }
    out.append("\r\n");
}

// Their sentences would tell rules, issuers and the state of their keys.
bool speaks_of_rules(Reason reason) {
    return reason == Reason::claim_not_allowed || reason == Reason::csrf_rejected ||
           reason == Reason::keys_unavailable || reason == Reason::revocation_stale;
}

}  // namespace

std::string_view status_phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 431:
            return "Request Header Fields Too Large";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Error";
    }
}

void append_connection(std::string& buffer, const AnswerContext& context) {
    if (context.close)
        buffer.append("Connection: close\r\n");
    else if (!context.http11)
        buffer.append("Connection: keep-alive\r\n");
}

int make_deny_response(std::string& buffer, const Denial& denial, const AnswerContext& context,
                       const Answers& answers) {
    const auto& what = info(denial.reason);
    const int status = denial.status != 0 ? denial.status : what.status;

    std::string body;
    json::Writer w(body, true);
    // Without reasons only what RFC 6750 itself says of the token leaves the house; faults of the message, of
    // the path or of the upstream stay named.
    const bool named = answers.reasons || !(what.challenge || speaks_of_rules(denial.reason));
    const std::string_view code = named                       ? what.word
                                  : !what.oauth_error.empty() ? what.oauth_error
                                  : status == 403             ? "forbidden"
                                  : status == 503             ? "unavailable"
                                                              : "unauthorized";
    w.object().member("type", "urn:signet:problem:" + std::string(code));
    w.member("title", named ? what.title : status_phrase(status))
        .member("status", status)
        .member("code", code);
    if (named) {
        std::string detail(denial.detail);
        if (!detail.empty()) detail += ". ";
        detail += what.advice;
        w.member("detail", detail);
    }
    w.member("request_id", context.request_id).end_object();

    buffer.append("HTTP/1.1 ")
        .append(std::to_string(status))
        .append(" ")
        .append(status_phrase(status))
        .append("\r\n");
    buffer.append("Content-Type: application/problem+json\r\nCache-Control: no-store\r\nX-Request-Id: ");
    buffer.append(context.request_id).append("\r\n");
    if (what.challenge) append_challenge(buffer, what, denial, answers);
    if (status == 503)
        buffer.append("Retry-After: ").append(std::to_string(denial.retry_after)).append("\r\n");
    if (!denial.allow.empty()) buffer.append("Allow: ").append(denial.allow).append("\r\n");
    buffer.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    append_connection(buffer, context);
    buffer.append("\r\n");
    if (!context.to_head) buffer.append(body);
    return status;
}

}  // namespace signet::http
