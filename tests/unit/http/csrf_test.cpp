#include "http/csrf.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "http/upstream_head.hpp"
#include "unit/http/parsed.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Parsed;

struct Row {
    const char* what;
    std::string lines;
    bool honoured;
    Scheme scheme = Scheme::unknown;
};

bool honoured(std::string_view method, const std::string& lines, Scheme scheme, const Csrf& rules,
              const std::string& host = "app.example") {
    const Parsed parsed(std::string(method) + " / HTTP/1.1\r\nHost: " + host + "\r\n" + lines + "\r\n");
    REQUIRE_FALSE(parsed.wrong);
    return check_csrf(parsed.head, scheme, rules) == nullptr;
}

TEST_CASE("reading is free, everything else must come from the same origin") {
    const Csrf rules;
    const std::string foreign = "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n";
    for (const auto method : {"GET", "HEAD", "OPTIONS"}) {
        CAPTURE(method);
        CHECK(honoured(method, "", Scheme::unknown, rules));
        CHECK(honoured(method, foreign, Scheme::unknown, rules));
        CHECK_FALSE(
            honoured(method, "Connection: Upgrade\r\nUpgrade: websocket\r\n", Scheme::unknown, rules));
        CHECK_FALSE(honoured(method, "Connection: Upgrade\r\nUpgrade: websocket\r\n" + foreign,
                             Scheme::unknown, rules));
        CHECK(honoured(method, "Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://app.example\r\n",
                       Scheme::unknown, rules));
    }
    for (const auto method : {"POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "Get", "GETX"}) {
        CAPTURE(method);
        CHECK_FALSE(honoured(method, "", Scheme::unknown, rules));
        CHECK_FALSE(honoured(method, foreign, Scheme::unknown, rules));
        CHECK(honoured(method, "Sec-Fetch-Site: same-origin\r\n", Scheme::unknown, rules));
    }
}

TEST_CASE("Sec-Fetch-Site and Origin decide together") {
    Csrf rules;
    rules.trusted_origins = {"https://trusted.example", "http://trusted.example:8080"};
    const Row rows[] = {
        {"neither", "", false},
        {"same-origin", "Sec-Fetch-Site: same-origin\r\n", true},
        {"typed by the user", "Sec-Fetch-Site: none\r\n", true},
        {"same site is not same origin", "Sec-Fetch-Site: same-site\r\n", false},
        {"cross-site", "Sec-Fetch-Site: cross-site\r\n", false},
        {"an unknown word", "Sec-Fetch-Site: Same-Origin\r\n", false},
        {"an empty word", "Sec-Fetch-Site:\r\n", false},
        {"a list of words", "Sec-Fetch-Site: same-origin, cross-site\r\n", false},
        {"the word twice", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin\r\n", false},
        {"an alias of the name", "Sec_Fetch_Site: same-origin\r\n", false},
        {"own origin", "Origin: https://app.example\r\n", true},
        {"own origin in other case", "Origin: HTTPS://APP.Example\r\n", true},
        {"own origin with the default port", "Origin: https://app.example:443\r\n", true},
        {"own origin over http", "Origin: http://app.example\r\n", true},
        {"the other scheme's port", "Origin: https://app.example:80\r\n", false},
        {"another port", "Origin: https://app.example:8443\r\n", false},
        {"a subdomain", "Origin: https://x.app.example\r\n", false},
        {"a parent domain", "Origin: https://example\r\n", false},
        {"a prefix", "Origin: https://app.example.evil.example\r\n", false},
        {"null", "Origin: null\r\n", false},
        {"empty", "Origin:\r\n", false},
        {"another scheme", "Origin: ftp://app.example\r\n", false},
        {"an extension", "Origin: chrome-extension://app.example\r\n", false},
        {"no scheme", "Origin: app.example\r\n", false},
        {"a path", "Origin: https://app.example/\r\n", false},
        {"a user", "Origin: https://app.example@evil.example\r\n", false},
        {"two origins in one", "Origin: https://app.example https://evil.example\r\n", false},
        {"the header twice", "Origin: https://app.example\r\nOrigin: https://app.example\r\n", false},
        {"trusted twice", "Origin: https://trusted.example\r\nOrigin: https://trusted.example\r\n", false},
        {"trusted", "Origin: https://trusted.example\r\n", true},
        {"trusted in other case", "Origin: https://Trusted.Example\r\n", true},
        {"trusted with its port", "Origin: http://trusted.example:8080\r\n", true},
        {"trusted under another scheme", "Origin: http://trusted.example\r\n", false},
        {"trusted from another site", "Origin: https://trusted.example\r\nSec-Fetch-Site: cross-site\r\n",
         true},
        {"own origin that another site caused",
         "Origin: https://app.example\r\nSec-Fetch-Site: cross-site\r\n", false},
        {"foreign origin that claims to be the same",
         "Origin: https://evil.example\r\nSec-Fetch-Site: same-origin\r\n", false},
        {"both good", "Origin: https://app.example\r\nSec-Fetch-Site: same-origin\r\n", true},
        {"a Referer alone", "Referer: https://app.example/\r\n", false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK(honoured("POST", row.lines, row.scheme, rules) == row.honoured);
    }
}

TEST_CASE("where the scheme is known the Origin must have it") {
    const Csrf rules;
    CHECK(honoured("POST", "Origin: https://app.example\r\n", Scheme::https, rules));
    CHECK_FALSE(honoured("POST", "Origin: http://app.example\r\n", Scheme::https, rules));
    CHECK(honoured("POST", "Origin: http://app.example\r\n", Scheme::http, rules));
    CHECK_FALSE(honoured("POST", "Origin: https://app.example\r\n", Scheme::http, rules));
}

TEST_CASE("the Host's port counts, its default may be left out") {
    const Csrf rules;
    CHECK(honoured("POST", "Origin: https://app.example\r\n", Scheme::https, rules, "app.example:443"));
    CHECK(
        honoured("POST", "Origin: http://app.example:8080\r\n", Scheme::unknown, rules, "app.example:8080"));
    CHECK_FALSE(
        honoured("POST", "Origin: http://app.example\r\n", Scheme::unknown, rules, "app.example:8080"));
    CHECK_FALSE(
        honoured("POST", "Origin: https://app.example\r\n", Scheme::unknown, rules, "app.example:80"));
    CHECK(honoured("POST", "Origin: http://[::1]:8080\r\n", Scheme::unknown, rules, "[::1]:8080"));
    CHECK_FALSE(honoured("POST", "Origin: http://[::1]:8081\r\n", Scheme::unknown, rules, "[::1]:8080"));
    const Parsed without_host("POST / HTTP/1.0\r\nOrigin: http://app.example\r\n\r\n");
    CHECK(check_csrf(without_host.head, Scheme::unknown, rules) != nullptr);
}

TEST_CASE("switched off, nothing is asked") {
    Csrf rules;
    rules.enforce = false;
    CHECK(honoured("POST", "Origin: https://evil.example\r\n", Scheme::unknown, rules));
}

TEST_CASE("the scheme is known from our own TLS and from trusted peers only") {
    const Parsed told("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: HTTPS\r\n\r\n");
    const Parsed http("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\n\r\n");
    const Parsed odd("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https, http\r\n\r\n");
    const Parsed silent("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto peer = [](bool trusted, bool tls) { return Peer{"192.0.2.1", trusted, tls}; };
    CHECK(scheme_of(told.head, peer(false, false)) == Scheme::unknown);
    CHECK(scheme_of(told.head, peer(true, false)) == Scheme::https);
    CHECK(scheme_of(http.head, peer(true, false)) == Scheme::http);
    CHECK(scheme_of(http.head, peer(false, true)) == Scheme::https);
    CHECK(scheme_of(odd.head, peer(true, false)) == Scheme::unknown);
    CHECK(scheme_of(silent.head, peer(true, false)) == Scheme::unknown);
    CHECK(scheme_of(silent.head, peer(false, true)) == Scheme::https);
}

}  // namespace
}  // namespace signet::http
