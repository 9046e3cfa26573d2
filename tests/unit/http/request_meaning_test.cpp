#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_head.hpp"
#include "unit/http/bad_head.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Bad;
using test::check_refused;
using test::Parsed;
using test::with;

TEST_CASE("Connection is taken apart, and may not name what frames or addresses") {
    std::vector<Bad> rows;
    for (const auto value : {"Content-Length"sv, "content-length"sv, "close, Host"sv, "HOST"sv,
                             "x, Transfer-Encoding"sv, "a b"sv, "x,(y)"sv, "\"close\""sv})
        rows.push_back({"Connection", with("Connection: " + std::string(value))});
    check_refused(rows);

    const Parsed parsed(
        with("Connection: close, X-Auth-Subject,,Authorization\r\nConnection: keep-alive, Cookie") +
        "\r\n\r\n");
    REQUIRE_FALSE(parsed.wrong);
    CHECK_FALSE(parsed.head.keep_alive);
    CHECK(parsed.head.connection_options ==
          std::vector<std::string_view>{"X-Auth-Subject", "Authorization", "Cookie"});
    CHECK(parsed.head.is_connection_option("x-auth-subject"));
    CHECK_FALSE(parsed.head.is_connection_option("X-Auth"));
    CHECK_FALSE(parsed.head.is_connection_option("close"));
}

TEST_CASE("Connection names so many fields at most, in one line or in many") {
    const auto naming = [](std::size_t count, std::size_t per_line) {
        std::string lines;
        for (std::size_t i = 0; i < count; ++i) {
            if (i % per_line != 0)
                lines += ", ";
            else
                lines += i == 0 ? "Connection: " : "\r\nConnection: ";
            lines += "x" + std::to_string(i);
        }
        return lines;
    };
    const std::string none_of_them = "\r\nConnection: close, keep-alive, ,upgrade";
    for (const std::size_t per_line : {1u, 7u, 1000u}) {
        CAPTURE(per_line);
        const Parsed most(with(naming(max_connection_options, per_line) + none_of_them) + "\r\n\r\n");
        REQUIRE_FALSE(most.wrong);
        CHECK(most.head.connection_options.size() == max_connection_options);
        CHECK(most.head.is_connection_option("X31"));
        check_refused({{"one too many", with(naming(max_connection_options + 1, per_line))},
                       {"far too many", with(naming(90, per_line))}});
    }
}

TEST_CASE("a connection is kept as version and Connection say") {
    struct Row {
        std::string_view version, connection;
        bool kept;
    };
    for (const auto& row : {Row{"1.1", "", true},
                            {"1.1", "Connection: close\r\n", false},
                            {"1.1", "Connection: Close\r\n", false},
                            {"1.1", "Connection: keep-alive\r\n", true},
                            {"1.1", "Connection: x, close\r\n", false},
                            {"1.1", "Connection: keep-alive, close\r\n", false},
                            {"1.0", "", false},
                            {"1.0", "Connection: keep-alive\r\n", true},
                            {"1.0", "Connection: keep-alive, close\r\n", false}}) {
        const Parsed parsed("GET / HTTP/" + std::string(row.version) + "\r\nHost: a\r\n" +
                            std::string(row.connection) + "\r\n");
        CAPTURE(row.version, row.connection);
        REQUIRE_FALSE(parsed.wrong);
        CHECK(parsed.head.keep_alive == row.kept);
    }
}

TEST_CASE("bodies are what the framing says") {
    struct Row {
        std::string_view lines;
        BodyKind body;
        std::uint64_t length;
    };
    for (const auto& row :
         {Row{"", BodyKind::none, 0},
          {"Content-Length: 0\r\n", BodyKind::none, 0},
          {"Content-Length: 5\r\n", BodyKind::length, 5},
          {"Content-Length: 0005\r\n", BodyKind::length, 5},
          {"Content-Length: 4611686018427387904\r\n", BodyKind::length, std::uint64_t{1} << 62},
          {"Transfer-Encoding: chunked\r\n", BodyKind::chunked, 0},
          {"Content_Length: 5\r\n", BodyKind::none, 0},
          {"Transfer.Encoding: chunked\r\n", BodyKind::none, 0}}) {
        const Parsed parsed("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(row.lines) + "\r\n");
        CAPTURE(row.lines);
        REQUIRE_FALSE(parsed.wrong);
        CHECK(parsed.head.body == row.body);
        CHECK(parsed.head.content_length == row.length);
    }
}

TEST_CASE("an upgrade is one protocol that Connection names, never h2c, never with a body") {
    struct Row {
        const char* lines;
        std::string_view upgrade;
    };
    for (const auto& row :
         {Row{"Connection: Upgrade\r\nUpgrade: websocket\r\n", "websocket"},
          {"Connection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n", "WebSocket"},
          {"Upgrade: websocket\r\n", ""},
          {"Connection: Upgrade\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade: h2c\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade: H2C\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade: h2c,websocket\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade:\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n", ""},
          {"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n", "websocket"}}) {
        const Parsed parsed("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(row.lines) + "\r\n");
        CAPTURE(row.lines);
        REQUIRE_FALSE(parsed.wrong);
        CHECK(parsed.head.upgrade == row.upgrade);
    }
    CHECK(Parsed("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
              .head.upgrade.empty());
    check_refused(
        {{"two Upgrade fields", with("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c")}});
}

TEST_CASE("Expect: 100-continue counts in HTTP/1.1 only") {
    CHECK(Parsed(with("Expect: 100-continue\r\nContent-Length: 1") + "\r\n\r\n").head.expects_continue);
    CHECK(Parsed(with("Expect: 100-Continue") + "\r\n\r\n").head.expects_continue);
    CHECK_FALSE(Parsed(with("Expect: 200-ok") + "\r\n\r\n").head.expects_continue);
    CHECK_FALSE(Parsed("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").head.expects_continue);
}

TEST_CASE("the number of fields is bounded, and each limit is its own") {
    std::string fields;
    for (int i = 0; i < 99; ++i) fields += "X-" + std::to_string(i) + ": y\r\n";
    CHECK_FALSE(Parsed("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n").wrong);
    const Parsed too_many("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "X: y\r\n\r\n");
    REQUIRE(too_many.wrong);
    CHECK(too_many.wrong->status == 431);
}

TEST_CASE("one object reads many heads and keeps nothing of the one before") {
    HeaderNames names;
    RequestHead head;
    const std::string rich =
        "POST http://a/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 7\r\nConnection: x, "
        "close\r\n\r\n";
    const std::string upgrade =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    const std::string plain = "GET /y HTTP/1.0\r\n\r\n";
    for (int i = 0; i < 2; ++i) {
        REQUIRE_FALSE(parse_request_head(rich, names, {}, head));
        REQUIRE_FALSE(parse_request_head(upgrade, names, {}, head));
        REQUIRE(head.upgrade == "websocket");
        REQUIRE_FALSE(parse_request_head(plain, names, {}, head));
        CHECK(head.host.empty());
        CHECK(head.upgrade.empty());
        CHECK(head.content_length == 0);
        CHECK(head.body == BodyKind::none);
        CHECK_FALSE(head.expects_continue);
        CHECK(head.fields.empty());
        CHECK(head.connection_options.empty());
        CHECK_FALSE(head.http11);
        CHECK(head.path_and_query == "/y");
        CHECK(parse_request_head("broken\r\n\r\n", names, {}, head));
    }
}

}  // namespace
}  // namespace signet::http
