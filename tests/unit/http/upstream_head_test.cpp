#include "http/upstream_head.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "http/credential.hpp"
#include "http/csrf.hpp"
#include "unit/http/parsed.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using policy::Allow;
using test::Parsed;

Settings usual() {
    Settings s;
    s.names.add_token_source("Authorization", 0);
    s.names.remove("X-Auth-Subject", Drop::always);
    s.names.remove("X-Auth-Request-*", Drop::always);
    return s;
}

struct Asked {
    bool is_public = false;
    Peer peer{"192.0.2.7", false, false};
    UpstreamForm form = {};
    Settings settings = usual();
};

std::string sent(const std::string& text, const Asked& asked = {}) {
    const Parsed parsed(text, asked.settings.names);
    INFO(text);
    REQUIRE_FALSE(parsed.wrong);
    Target target;
    REQUIRE_FALSE(normalise_target(parsed.head.path_and_query, EncodedSlashes::reject, target));
    std::string buffer = "left over";
    const auto head = make_upstream_head(buffer, parsed.head, target, Allow::anonymous(asked.is_public),
                                         asked.peer, "rid-1", asked.form, asked.settings);
    CHECK(head.text() == buffer);
    CHECK_THAT(buffer, Catch::EndsWith("\r\n\r\n"));
    // Whatever was sent, the upstream reads the same framing as we did, and no control character.
    const Parsed again(buffer);
    REQUIRE_FALSE(again.wrong);
    CHECK(again.head.body == parsed.head.body);
    CHECK(again.head.content_length == parsed.head.content_length);
    return buffer;
}

std::string request(const std::string& lines, const std::string& line = "GET /a HTTP/1.1") {
    return line + "\r\nHost: app.example\r\n" + lines + "\r\n";
}

// How many fields of that name, by a gateway's reading of names.
int count(const std::string& head, std::string_view name) {
    const Parsed parsed(head);
    int n = 0;
    for (const auto& f : parsed.head.fields) n += flat_equal(f.name, name) ? 1 : 0;
    return n;
}
std::string value(const std::string& head, std::string_view name) {
    const Parsed parsed(head);
    for (const auto& f : parsed.head.fields)
        if (flat_equal(f.name, name)) return std::string(f.value);
    return "(absent)";
}

TEST_CASE("a plain request arrives with what we add, byte for byte") {
    CHECK(sent(request("Accept: */*\r\nX-Mine: 1\r\n", "GET //a/./b?c=d HTTP/1.0")) ==
          "GET /a/b?c=d HTTP/1.1\r\nHost: app.example\r\nAccept: */*\r\nX-Mine: 1\r\nX-Forwarded-For: "
          "192.0.2.7\r\n"
          "X-Forwarded-Proto: http\r\nX-Forwarded-Host: app.example\r\nX-Request-Id: rid-1\r\n\r\n");
}

TEST_CASE("forged and hop-by-hop fields never arrive, on public routes neither") {
    for (const bool is_public : {false, true}) {
        Asked asked;
        asked.is_public = is_public;
        for (const auto name : {"X-Auth-Subject",
                                "x-auth-subject",
                                "X_Auth_Subject",
                                "X.Auth~Subject",
                                "X-Auth-Request-Email",
                                "x_auth_request_x",
                                "Proxy",
                                "Keep-Alive",
                                "Proxy-Connection",
                                "Proxy-Authorization",
                                "TE",
                                "Trailer",
                                "HTTP2-Settings",
                                "Forwarded",
                                "X-Real-IP",
                                "X-Original-URL",
                                "X-Rewrite-URL",
                                "X-HTTP-Method-Override",
                                "X-Forwarded-Port",
                                "X_Forwarded_For",
                                "Content_Length",
                                "Transfer_Encoding",
                                "Sec_Fetch_Site",
                                "X_Request_Id"}) {
            const auto head =
                sent(request(std::string(name) + ": forged\r\nX-Kept: 1\r\n" + name + ": again\r\n"), asked);
            CAPTURE(name, is_public);
            CHECK_THAT(head, !Catch::Contains("forged") && !Catch::Contains("again") &&
                                 Catch::Contains("X-Kept: 1\r\n"));
        }
    }
}

TEST_CASE("what Connection names goes, what we set stays") {
    const auto head =
        sent(request("Connection: X-Hop, X-Forwarded-For, X-Auth-Subject, Authorization, Cookie, "
                     "X-Request-Id, X-Forwarded-Proto, close\r\n"
                     "X-Hop: 1\r\nCookie: a=b\r\nAuthorization: Basic x\r\nX-Forwarded-For: 1.1.1.1\r\n"));
    CHECK(count(head, "X-Hop") == 0);
    CHECK(count(head, "Cookie") == 0);
    CHECK(count(head, "Authorization") == 0);
    CHECK(count(head, "Connection") == 0);
    CHECK(value(head, "X-Forwarded-For") == "192.0.2.7");
    CHECK(value(head, "X-Forwarded-Proto") == "http");
    CHECK(value(head, "X-Forwarded-Host") == "app.example");
    CHECK(value(head, "X-Request-Id") == "rid-1");
}

TEST_CASE("the token leaves the places where it may stand, nothing else does") {
    Asked asked;
    asked.settings.extraction.cookies = {"t"};
    asked.settings.extraction.params = {"tok"};
    const auto line = "GET /a?x=1&tok=abc&y=2 HTTP/1.1"s;
    const auto lines = "Authorization: Bearer abc\r\nCookie: a=1; t=abc; b=2\r\n"s;
    const auto stripped = sent(request(lines, line), asked);
    CHECK_THAT(stripped, !Catch::Contains("abc") && Catch::StartsWith("GET /a?x=1&y=2 HTTP/1.1\r\n"));
    CHECK(value(stripped, "Cookie") == "a=1; b=2");
    CHECK(count(stripped, "Authorization") == 0);

    asked.settings.extraction.forward = true;
    CHECK_THAT(sent(request(lines, line), asked),
               Catch::Contains("?x=1&tok=abc&y=2") && Catch::Contains(lines));
    asked.settings.extraction.forward = false;
    asked.is_public = true;
    CHECK_THAT(sent(request(lines, line), asked),
               Catch::Contains("?x=1&tok=abc&y=2") && Catch::Contains(lines));
}

TEST_CASE("Basic stays, every form of Bearer goes") {
    for (const auto& credential : {"Bearer abc"s, "bearer abc"s, "BEARER  abc"s, "Bearer"s, "bearer"s}) {
        CAPTURE(credential);
        CHECK(count(sent(request("Authorization: " + credential + "\r\n")), "Authorization") == 0);
    }
    for (const auto& credential : {"Basic dTpw"s, "Digest x"s, "Bearerabc"s}) {
        CAPTURE(credential);
        CHECK(value(sent(request("Authorization: " + credential + "\r\n")), "Authorization") == credential);
    }
}

TEST_CASE("a cookie field that held only the token goes as a whole") {
    Asked asked;
    asked.settings.extraction.cookies = {"t"};
    CHECK(count(sent(request("Cookie: t=abc\r\n"), asked), "Cookie") == 0);
    CHECK(count(sent(request("Cookie: t=abc; t=def\r\n"), asked), "Cookie") == 0);
    const auto two = sent(request("Cookie: t=abc\r\nCookie: a=\"t=1\"; b\r\n"), asked);
    CHECK(count(two, "Cookie") == 1);
    CHECK(value(two, "Cookie") == "a=\"t=1\"; b");
}

TEST_CASE("forwarded fields of a trusted peer are continued, of a stranger replaced") {
    const auto lines =
        "X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-For: 198.51.100.1, 198.51.100.2\r\nX-Forwarded-Proto: "
        "https\r\n"
        "X-Forwarded-Host: public.example\r\nX-Real-IP: 203.0.113.5\r\nX-Request-Id: theirs\r\n"s;
    const auto stranger = sent(request(lines));
    CHECK(value(stranger, "X-Forwarded-For") == "192.0.2.7");
    CHECK(value(stranger, "X-Forwarded-Proto") == "http");
    CHECK(value(stranger, "X-Forwarded-Host") == "app.example");
    CHECK(count(stranger, "X-Real-IP") == 0);
    Asked asked;
    asked.peer.trusted = true;
    const auto trusted = sent(request(lines), asked);
    CHECK(value(trusted, "X-Forwarded-For") == "203.0.113.5, 198.51.100.1, 198.51.100.2, 192.0.2.7");
    CHECK(value(trusted, "X-Forwarded-Proto") == "https");
    CHECK(value(trusted, "X-Forwarded-Host") == "public.example");
    CHECK(value(trusted, "X-Real-IP") == "203.0.113.5");
    for (const auto name : {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id"}) {
        CHECK(count(stranger, name) == 1);
        CHECK(count(trusted, name) == 1);
    }
    asked.peer = {"2001:db8::1", false, true};
    CHECK(value(sent(request(lines), asked), "X-Forwarded-Proto") == "https");
    CHECK(value(sent(request(lines), asked), "X-Forwarded-For") == "2001:db8::1");
}

TEST_CASE("of two forwarded values none is believed, and aliases are not heard") {
    Asked asked;
    asked.peer.trusted = true;
    for (const auto& lines :
         {"X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\nX-Forwarded-Host: "
          "b\r\n"s,
          "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nX-Forwarded-Host: "
          "a\r\n"s,
          "X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: a,b\r\n"s,
          "X_Forwarded_Proto: https\r\nX.Forwarded~Host: a\r\nX_Forwarded_For: 203.0.113.5\r\n"s, ""s}) {
        const auto head = sent(request(lines), asked);
        CAPTURE(lines);
        CHECK(value(head, "X-Forwarded-Proto") == "http");
        CHECK(value(head, "X-Forwarded-Host") == "app.example");
        CHECK(value(head, "X-Forwarded-For") == "192.0.2.7");
        for (const auto name : {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"})
            CHECK(count(head, name) == 1);
    }
    const auto beside = sent(request("X-Forwarded-Proto: https\r\nX_Forwarded_Proto: http\r\n"
                                     "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.5\r\n"),
                             asked);
    CHECK(value(beside, "X-Forwarded-Proto") == "https");
    CHECK(value(beside, "X-Forwarded-For") == "203.0.113.5, 192.0.2.7");
    CHECK_THAT(beside, !Catch::Contains("6.6.6.6"));
    const Parsed two(request("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n"));
    CHECK(scheme_of(two.head, asked.peer) == Scheme::unknown);
    const Parsed one(request("X-Forwarded-Proto: HTTPS\r\n"));
    CHECK(scheme_of(one.head, asked.peer) == Scheme::https);
    CHECK(scheme_of(one.head, Peer{"192.0.2.7", false, false}) == Scheme::unknown);
}

TEST_CASE("a fixed Authorization takes the place of the client's") {
    for (const bool forward : {false, true})
        for (const bool is_public : {false, true})
            for (const auto credential : {"Bearer abc", "Basic dTpw", "Negotiate x"}) {
                Asked asked;
                asked.is_public = is_public;
                asked.settings.names.remove("Authorization", Drop::always);
                asked.settings.extraction.forward = forward;
                asked.form.added_lines = "Authorization: Basic SERVICE\r\n";
                const auto head = sent(request("Authorization: "s + credential + "\r\n"), asked);
                CAPTURE(credential, is_public, forward);
                CHECK(count(head, "Authorization") == 1);
                CHECK(value(head, "Authorization") == "Basic SERVICE");
            }
}

TEST_CASE("a request id is kept from trusted peers only, and only of plain characters") {
    const auto kept = [](const std::string& id, bool trusted) {
        const Parsed parsed(request("X-Request-Id: " + id + "\r\n"));
        return std::string(kept_request_id(parsed.head, trusted));
    };
    CHECK(kept("Ab-9._", true) == "Ab-9._");
    CHECK(kept(std::string(128, 'a'), true).size() == 128);
    CHECK(kept(std::string(129, 'a'), true).empty());
    CHECK(kept("Ab-9._", false).empty());
    for (const auto id : {"", "a b", "a,b", "\"a\"", "a\xC3\xA9", "a/b", "<x>"}) {
        CAPTURE(id);
        CHECK(kept(id, true).empty());
    }
}

TEST_CASE("the body is framed as it came") {
    const auto line = "POST /a HTTP/1.1"s;
    CHECK(value(sent(request("Content-Length: 007\r\n", line)), "Content-Length") == "7");
    CHECK(value(sent(request("Content-Length: 0\r\n", line)), "Content-Length") == "0");
    CHECK(count(sent(request("", line)), "Content-Length") == 0);
    const auto chunked = sent(request("Transfer-Encoding: Chunked\r\nTrailer: X\r\n", line));
    CHECK(value(chunked, "Transfer-Encoding") == "chunked");
    CHECK(count(chunked, "Trailer") == 0);
    CHECK(value(sent(request("Expect: 100-continue\r\nContent-Length: 1\r\n", line)), "Expect") ==
          "100-continue");
    CHECK(count(sent(request("Expect: something\r\n", line)), "Expect") == 0);
}

TEST_CASE("an upgrade is asked for as one protocol, h2c never") {
    const auto head =
        sent(request("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"));
    CHECK(value(head, "Connection") == "Upgrade");
    CHECK(value(head, "Upgrade") == "websocket");
    CHECK(count(head, "Sec-WebSocket-Key") == 1);
    const auto h2c =
        sent(request("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"));
    CHECK_THAT(h2c, !Catch::Contains("pgrade") && !Catch::Contains("h2c") && !Catch::Contains("HTTP2"));
}

TEST_CASE("an upstream's own form: path in front, host, fixed headers") {
    Asked asked;
    asked.form = {"/base", "inner.example:9000", "X-Fixed: 1\r\nX-Other: 2\r\n", "X-Auth-Payload"};
    const auto head = sent(request("", "GET /a/../b?q HTTP/1.1"), asked);
    CHECK_THAT(head, Catch::StartsWith("GET /base/b?q HTTP/1.1\r\nHost: inner.example:9000\r\n"));
    CHECK(value(head, "X-Fixed") == "1");
    CHECK(value(head, "X-Other") == "2");
    CHECK(value(head, "X-Forwarded-Host") == "app.example");
    CHECK(count(head, "X-Auth-Payload") == 0);  // there is no verified payload
    CHECK_THAT(sent(request("", "OPTIONS * HTTP/1.1"), asked), Catch::StartsWith("OPTIONS * HTTP/1.1\r\n"));
}

TEST_CASE("a request in absolute form is passed on in origin form") {
    CHECK_THAT(sent(request("", "GET http://app.example/x?y HTTP/1.1")),
               Catch::StartsWith("GET /x?y HTTP/1.1\r\nHost: app.example\r\n"));
}

}  // namespace
}  // namespace signet::http
