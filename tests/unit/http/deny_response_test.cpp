#include "http/deny_response.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "http/response_head.hpp"
#include "unit/support/json_text.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Json;

struct Made {
    int status = 0;
    std::string head, body;

    [[nodiscard]] std::string field(std::string_view name) const {
        ResponseHead parsed;
        REQUIRE(parse_response_head(head, true, {}, parsed) == nullptr);
        for (const auto& f : parsed.fields)
            if (f.name == name) return std::string(f.value);
        return "(absent)";
    }
};

Made made(const Denial& denial, AnswerContext context = {}, const Answers& answers = {}) {
    if (context.request_id.empty()) context.request_id = "rid-1";
    std::string buffer;
    Made out;
    out.status = make_deny_response(buffer, denial, context, answers);
    const auto end = buffer.find("\r\n\r\n");
    REQUIRE(end != std::string::npos);
    out.head = buffer.substr(0, end + 4);
    out.body = buffer.substr(end + 4);
    return out;
}

Denial denial(Reason reason, std::string_view detail = "") {
    Denial d;
    d.reason = reason;
    d.detail = detail;
    return d;
}

TEST_CASE("every reason is answered as the contract has it") {
    for (std::size_t i = 0; i < reason_count; ++i) {
        const auto reason = static_cast<Reason>(i);
        const auto& what = info(reason);
        const auto out = made(denial(reason, "why"));
        CAPTURE(what.word);
        CHECK(out.status == what.status);
        CHECK_THAT(out.head, Catch::StartsWith("HTTP/1.1 " + std::to_string(what.status) + " "));
        CHECK(out.field("Content-Type") == "application/problem+json");
        CHECK(out.field("Cache-Control") == "no-store");
        CHECK(out.field("X-Request-Id") == "rid-1");
        CHECK(out.field("Content-Length") == std::to_string(out.body.size()));
        const Json body(out.body);
        CHECK(body->find("type")->string() == "urn:signet:problem:" + std::string(what.word));
        CHECK(body->find("code")->string() == what.word);
        CHECK(body->find("title")->string() == what.title);
        CHECK(body->find("status")->integer() == what.status);
        CHECK(body->find("detail")->string() == "why. " + std::string(what.advice));
        CHECK(body->find("request_id")->string() == "rid-1"sv);
        CHECK(body->size() == 6);
        CHECK((out.field("Retry-After") != "(absent)") == (what.status == 503));
        const auto challenge = out.field("WWW-Authenticate");
        CHECK((challenge != "(absent)") == what.challenge);
        if (!what.challenge) continue;
        CHECK_THAT(challenge, Catch::StartsWith("Bearer realm=\"signet\""));
        CHECK((challenge.find("error=") != std::string::npos) == !what.oauth_error.empty());
        if (!what.oauth_error.empty())
            CHECK_THAT(challenge, Catch::Contains(", error=\"" + std::string(what.oauth_error) +
                                                  "\", error_description=\""));
    }
}

TEST_CASE("the answer as a whole, byte for byte") {
    const auto out = made(denial(Reason::token_missing), {.request_id = "r", .close = true});
    CHECK(out.head ==
          "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nCache-Control: "
          "no-store\r\nX-Request-Id: r\r\n"
          "WWW-Authenticate: Bearer realm=\"signet\"\r\nContent-Length: " +
              std::to_string(out.body.size()) + "\r\nConnection: close\r\n\r\n");
}

TEST_CASE("a missing scope is named") {
    auto d = denial(Reason::scope_insufficient, "needs more");
    d.scope = "admin:write admin:read";
    CHECK(made(d).field("WWW-Authenticate") ==
          "Bearer realm=\"signet\", error=\"insufficient_scope\", error_description=\"scope_insufficient: "
          "needs more\", "
          "scope=\"admin:write admin:read\"");
}

TEST_CASE("HTTP's better number, the methods allowed, and when to come again") {
    auto d = denial(Reason::bad_request);
    d.status = 405;
    d.allow = "GET, HEAD";
    const auto not_allowed = made(d);
    CHECK(not_allowed.status == 405);
    CHECK_THAT(not_allowed.head, Catch::StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
    CHECK(not_allowed.field("Allow") == "GET, HEAD");
    CHECK(Json(not_allowed.body)->find("status")->integer() == 405);
    auto later = denial(Reason::keys_unavailable);
    later.retry_after = 17;
    CHECK(made(later).field("Retry-After") == "17");
    for (const int status : {400, 408, 413, 414, 431, 501}) {
        d.status = status;
        CAPTURE(status);
        CHECK(made(d).status == status);
        CHECK(status_phrase(status) != "Error");
    }
}

TEST_CASE("HEAD gets the head alone, HTTP/1.0 is told whether the connection stays") {
    const auto head = made(denial(Reason::revoked), {.request_id = "r", .to_head = true});
    CHECK(head.body.empty());
    CHECK(std::stoi(head.field("Content-Length")) > 50);
    CHECK_THAT(made(denial(Reason::revoked)).head, !Catch::Contains("Connection:"));
    CHECK_THAT(made(denial(Reason::revoked), {.request_id = "r", .http11 = false}).head,
               Catch::Contains("Connection: keep-alive\r\n"));
    CHECK_THAT(made(denial(Reason::revoked), {.request_id = "r", .http11 = false, .close = true}).head,
               Catch::Contains("Connection: close\r\n"));
}

TEST_CASE("nothing in a detail breaks out of the header or of the JSON") {
    const auto evil = "a\"b\\c\r\nX-Evil: 1\r\n\r\n\x01\x7F\xC3\xA9\xFF</script>"s;
    Answers answers;
    answers.realm = "r\"\r\nX-Evil: 2";
    auto d = denial(Reason::scope_insufficient, evil);
    d.scope = "x\"\r\nX-Evil: 3";
    const auto out = made(d, {}, answers);
    CHECK(out.field("X-Evil") == "(absent)");
    const auto challenge = out.field("WWW-Authenticate");
    for (const char c : challenge) CHECK((c >= 0x20 && c < 0x7F));
    CHECK(std::count(challenge.begin(), challenge.end(), '"') == 8);
    CHECK(challenge.find('\\') == std::string::npos);
    const Json body(out.body);
    CHECK_THAT(std::string(*body->find("detail")->string()), Catch::StartsWith("a\"b\\c\r\nX-Evil: 1"));
    for (const char c : out.body) CHECK((c >= 0x20 && c < 0x7F));
}

TEST_CASE("without reasons only RFC 6750's words leave the house") {
    Answers answers;
    answers.reasons = false;
    std::string one_shape;
    for (const auto reason :
         {Reason::token_malformed, Reason::expired, Reason::revoked, Reason::signature_invalid,
          Reason::kid_unknown, Reason::audience_mismatch, Reason::issuer_unknown}) {
        const auto out = made(denial(reason, "a telling detail"), {}, answers);
        if (one_shape.empty()) one_shape = out.head + out.body;
        CHECK(out.head + out.body == one_shape);
    }
    CHECK_THAT(one_shape, Catch::Contains("error=\"invalid_token\"") &&
                              !Catch::Contains("error_description") && !Catch::Contains("telling") &&
                              Catch::Contains("\"code\":\"invalid_token\""));
    CHECK_THAT(made(denial(Reason::token_missing), {}, answers).body, !Catch::Contains("token_missing"));
}

TEST_CASE("without reasons neither the rules nor the state of an issuer's keys are told") {
    Answers answers;
    answers.reasons = false;
    const std::pair<Reason, std::string_view> rows[] = {{Reason::claim_not_allowed, "forbidden"},
                                                        {Reason::csrf_rejected, "forbidden"},
                                                        {Reason::keys_unavailable, "unavailable"},
                                                        {Reason::revocation_stale, "unavailable"}};
    for (const auto& [reason, code] : rows) {
        const auto& what = info(reason);
        const auto out = made(denial(reason, "a telling detail"), {}, answers);
        CAPTURE(what.word);
        CHECK(out.status == what.status);
        const Json body(out.body);
        CHECK(body->find("code")->string() == code);
        CHECK(body->find("type")->string() == "urn:signet:problem:" + std::string(code));
        CHECK(body->find("title")->string() == status_phrase(what.status));
        CHECK_FALSE(body->find("detail").has_value());
        CHECK_THAT(out.head + out.body, !Catch::Contains("telling") &&
                                            !Catch::Contains(std::string(what.word)) &&
                                            !Catch::Contains(std::string(what.title)) &&
                                            !Catch::Contains(std::string(what.advice)));
        CHECK((out.field("Retry-After") != "(absent)") == (what.status == 503));
    }
    for (const auto reason : {Reason::no_route, Reason::bad_request, Reason::overloaded,
                              Reason::upstream_unreachable, Reason::upstream_timeout}) {
        CAPTURE(word(reason));
        CHECK_THAT(
            made(denial(reason, "why"), {}, answers).body,
            Catch::Contains("\"code\":\"" + std::string(word(reason)) + "\"") && Catch::Contains("why"));
    }
}

TEST_CASE("it appends to what stands in the buffer") {
    std::string buffer = "before";
    make_deny_response(buffer, denial(Reason::no_route), {.request_id = "r"}, {});
    CHECK_THAT(buffer, Catch::StartsWith("beforeHTTP/1.1 404 Not Found\r\n"));
}

}  // namespace
}  // namespace signet::http
