#include "http/request_head.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "unit/http/bad_head.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Bad;
using test::check_refused;
using test::Parsed;
using test::with;

TEST_CASE("an ordinary request is read into views of its own bytes") {
    const Parsed parsed(
        "GET /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nAccept:*/*\r\nX-Padded: \t value "
        "\t\r\nX-Empty:\r\n\r\n");
    REQUIRE_FALSE(parsed.wrong);
    const auto& head = parsed.head;
    CHECK(head.method == "GET");
    CHECK(head.target == "/a/b?c=d");
    CHECK(head.path_and_query == "/a/b?c=d");
    CHECK(head.host == "example.com:8080");
    CHECK(head.http11);
    CHECK(head.keep_alive);
    CHECK(head.body == BodyKind::none);
    CHECK_FALSE(head.expects_continue);
    CHECK(head.upgrade.empty());
    CHECK_FALSE(head.is_head());
    REQUIRE(head.fields.size() == 4);
    CHECK(head.fields[1].name == "Accept");
    CHECK(head.fields[1].value == "*/*");
    CHECK(head.fields[2].value == "value");
    CHECK(head.fields[3].value.empty());
    CHECK(head.find(HeaderId::host)->value == "example.com:8080");
    CHECK(head.find(HeaderId::cookie) == nullptr);
}

TEST_CASE("request lines are read by the letter") {
    std::vector<Bad> rows;
    for (const auto line : {""sv,
                            "GET"sv,
                            "GET /"sv,
                            "GET /\tHTTP/1.1"sv,
                            "GET\t/ HTTP/1.1"sv,
                            "GET  / HTTP/1.1"sv,
                            "GET /  HTTP/1.1"sv,
                            " GET / HTTP/1.1"sv,
                            "GET / HTTP/1.1 "sv,
                            "GET / HTTP/1.1\t"sv,
                            "GET / http/1.1"sv,
                            "GET / HTTP/1.2"sv,
                            "GET / HTTP/2.0"sv,
                            "GET / HTTP/0.9"sv,
                            "GET / HTTP/1.10"sv,
                            "GET / HTTP/01.1"sv,
                            "GET / HTTP/1"sv,
                            "GET / HTTP/1.1x"sv,
                            "GET / HTTPS/1.1"sv,
                            "GET / "sv,
                            "G(T / HTTP/1.1"sv,
                            "GE\x80 / HTTP/1.1"sv,
                            "GE\0T / HTTP/1.1"sv,
                            "G\rT / HTTP/1.1"sv,
                            "GET /\r HTTP/1.1"sv,
                            "GET /\0 HTTP/1.1"sv,
                            "GET /\x7F HTTP/1.1"sv,
                            "GET /\x1F HTTP/1.1"sv,
                            "GET /\t HTTP/1.1"sv,
                            "GET /a b HTTP/1.1"sv,
                            "GET x HTTP/1.1"sv,
                            "GET ?x HTTP/1.1"sv,
                            "GET # HTTP/1.1"sv,
                            "GET a.example HTTP/1.1"sv,
                            "GET ./x HTTP/1.1"sv,
                            "GET \\x HTTP/1.1"sv,
                            "GET * HTTP/1.1"sv,
                            "OPTIONS ** HTTP/1.1"sv,
                            "OPTIONS *? HTTP/1.1"sv,
                            "PRI * HTTP/2.0"sv,
                            "GET //\n HTTP/1.1"sv})
        rows.push_back({"a request line", std::string(line) + "\r\nHost: a"});
    check_refused(rows);
    check_refused({{"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443", 405},
                   {"CONNECT /", "CONNECT / HTTP/1.1\r\nHost: a", 405}});
    for (const auto line :
         {"GET / HTTP/1.1"sv, "connect / HTTP/1.1"sv, "M-SEARCH / HTTP/1.1"sv, "get / HTTP/1.1"sv,
          "!#$%&'*+-.^_`|~ / HTTP/1.1"sv, "OPTIONS * HTTP/1.1"sv, "GET /%zz?\xC3\xA9 HTTP/1.1"sv}) {
        const Parsed parsed(std::string(line) + "\r\nHost: a\r\n\r\n");
        CAPTURE(line);
        CHECK_FALSE(parsed.wrong);
    }
}

TEST_CASE("lengths that are not one plain number are refused") {
    std::vector<Bad> rows;
    for (const auto value :
         {"+5"sv, "-5"sv, "-0"sv, "0x5"sv, "5 5"sv, "5,5"sv, "5, 5"sv, ""sv, "5;"sv, "5.0"sv, "1e1"sv,
          "\"5\""sv, "18446744073709551616"sv, "18446744073709551615"sv, "9223372036854775808"sv, "5\t5"sv,
          "٥"sv, "5a"sv, "99999999999999999999999999"sv})
        rows.push_back({"a Content-Length", with("Content-Length: " + std::string(value))});
    rows.push_back({"the same length twice", with("Content-Length: 5\r\nContent-Length: 5")});
    rows.push_back({"two lengths", with("Content-Length: 5\r\nContent-Length: 6")});
    rows.push_back({"two lengths in two cases", with("content-length: 5\r\nCONTENT-LENGTH: 5")});
    rows.push_back({"zero twice", with("Content-Length: 0\r\nContent-Length: 0")});
    check_refused(rows);
}

TEST_CASE("both framings at once are refused in either order") {
    check_refused({{"length first", with("Content-Length: 5\r\nTransfer-Encoding: chunked")},
                   {"coding first", with("Transfer-Encoding: chunked\r\nContent-Length: 5")},
                   {"a length of zero", with("Content-Length: 0\r\nTransfer-Encoding: chunked")},
                   {"apart", with("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 5")}});
}

TEST_CASE("transfer codings other than one chunked are refused") {
    std::vector<Bad> rows;
    for (const auto value : {"xchunked"sv, "chunkedx"sv, "identity"sv, "gzip"sv, "chunked, identity"sv,
                             "gzip, chunked"sv, ",chunked"sv, "chunked,"sv, "chunked, chunked"sv,
                             "chunked;q=1"sv, ""sv, "\"chunked\""sv, "chun ked"sv, "chunked\tx"sv})
        rows.push_back({"a coding", with("Transfer-Encoding: " + std::string(value)), 501});
    check_refused(rows);
    check_refused({{"two lines", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
                   {"a line break inside", with("Transfer-Encoding:\x0B"
                                                "chunked")},
                   {"HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked"}});
    for (const auto value : {"chunked"sv, "Chunked"sv, "CHUNKED"sv, " \tchunked\t "sv}) {
        const Parsed parsed(with("Transfer-Encoding:" + std::string(value)) + "\r\n\r\n");
        CAPTURE(value);
        REQUIRE_FALSE(parsed.wrong);
        CHECK(parsed.head.body == BodyKind::chunked);
    }
}

TEST_CASE("field lines are read by the letter") {
    std::vector<Bad> rows;
    for (const auto line : {"X : y"sv,
                            "X\t: y"sv,
                            " X: y"sv,
                            "\tX: y"sv,
                            "X: y\r\n folded"sv,
                            "X: y\r\n\tfolded"sv,
                            ": y"sv,
                            "X"sv,
                            "X y"sv,
                            "X\0: y"sv,
                            "X\x80: y"sv,
                            "X(: y"sv,
                            "X\": y"sv,
                            "X/: y"sv,
                            "X@: y"sv,
                            "X{: y"sv,
                            "[X]: y"sv,
                            "X: a\0b"sv,
                            "X: a\x01"
                            "b"sv,
                            "X: a\x7F"sv,
                            "X: a\x1B[0m"sv,
                            "X: a\nY: b"sv,
                            "X: a\rY: b"sv,
                            "X: a\r"sv,
                            "X\r: y"sv,
                            "X\n: y"sv,
                            "X: \x08"sv,
                            "GET / HTTP/1.1"sv})
        rows.push_back({"a field line", with(line)});
    check_refused(rows);
    for (const auto line : {"X:y"sv, "X:"sv, "X: "sv, "X: a\tb"sv, "X: \xC3\xA9\xFF\x80"sv, "X: : :"sv,
                            "!#$%&'*+-.^_`|~09aZ: y"sv}) {
        const Parsed parsed(with(line) + "\r\n\r\n");
        CAPTURE(line);
        CHECK_FALSE(parsed.wrong);
    }
}

TEST_CASE("there is exactly one plain Host") {
    std::vector<Bad> rows{{"none", "GET / HTTP/1.1"},
                          {"two", "GET / HTTP/1.1\r\nHost: a\r\nHost: b"},
                          {"the same twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a"},
                          {"two in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a"}};
    for (const auto host :
         {""sv,
          "a,b"sv,
          "a, b"sv,
          "a b"sv,
          "user@a"sv,
          "user:pw@a"sv,
          "a/"sv,
          "a/b"sv,
          "http://a"sv,
          "a?x"sv,
          "a#x"sv,
          "a:"sv,
          ":80"sv,
          "a:b"sv,
          "a:+1"sv,
          "a:65536"sv,
          "a:80:80"sv,
          "a:8 0"sv,
          "[::1"sv,
          "::1"sv,
          "[::1]x"sv,
          "[]"sv,
          "[:]"sv,
          "[g::1]"sv,
          "[::1]:"sv,
          "[fe80::1%25eth0]"sv,
          "a%2e"sv,
          "a\\b"sv,
          "\xC3\xA9.example"sv,
          "a\tb"sv,
          "<a>"sv,
          "a;b"sv,
          "a.example."sv,  // the same host to many servers, another one to a table of routes
          "a.example.:80"sv,
          "."sv})
        rows.push_back({"a Host", "GET / HTTP/1.1\r\nHost: " + std::string(host)});
    check_refused(rows);
    for (const auto host :
         {"a"sv, "a.example"sv, "A.Example"sv, "127.0.0.1"sv, "127.0.0.1:8080"sv, "[::1]"sv, "[::1]:8080"sv,
          "[::ffff:1.2.3.4]"sv, "a_b-c~d:0"sv, "a:65535"sv, "xn--e1afmkfd.example:1"sv}) {
        const Parsed parsed("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
        CAPTURE(host);
        REQUIRE_FALSE(parsed.wrong);
        CHECK(parsed.head.host == host);
    }
    const Parsed old("GET / HTTP/1.0\r\n\r\n");
    CHECK_FALSE(old.wrong);
    CHECK(old.head.host.empty());
}

TEST_CASE("host and port are taken apart") {
    CHECK(host_without_port("a:80") == "a");
    CHECK(host_without_port("a") == "a");
    CHECK(host_without_port("[::1]:80") == "[::1]");
    CHECK(host_without_port("[::1]") == "[::1]");
    CHECK(port_of("a:80") == "80");
    CHECK(port_of("[::1]:80") == "80");
    CHECK(port_of("[::1]").empty());
    CHECK(port_of("a").empty());
}

TEST_CASE("a target in absolute form is one of this host or refused") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"http://a/x", "/x"},
        {"HTTP://A/x", "/x"},
        {"https://a/x?y=http://b/", "/x?y=http://b/"},
        {"http://a", ""},
        {"http://a?y", "?y"}};
    for (const auto& [target, rest] : rows) {
        const Parsed parsed("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        CAPTURE(target);
        REQUIRE_FALSE(parsed.wrong);
        CHECK(parsed.head.path_and_query == rest);
        CHECK(parsed.head.target == target);
    }
    std::vector<Bad> refused;
    for (const auto target :
         {"http://b/x"sv, "http://a:80/x"sv, "http://u@a/x"sv, "http://a.b/x"sv, "http:///x"sv, "http://"sv,
          "ftp://a/x"sv, "http:/a/x"sv, "http:a/x"sv, "http://a\\x"sv})
        refused.push_back({"an absolute target", "GET " + std::string(target) + " HTTP/1.1\r\nHost: a"});
    refused.push_back({"absolute without Host", "GET http://a/x HTTP/1.0"});
    check_refused(refused);
}

}  // namespace
}  // namespace signet::http
