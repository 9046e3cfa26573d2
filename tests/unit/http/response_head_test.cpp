#include "http/response_head.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Exact;

struct Answer {
    explicit Answer(std::string_view text, bool to_head = false, std::string_view to_upgrade = {})
        : bytes(text), wrong(parse_response_head(bytes.view(), to_head, to_upgrade, head)) {}
    Exact bytes;
    ResponseHead head;
    const char* wrong;
};

Answer answer(const std::string& lines, const std::string& status = "HTTP/1.1 200 OK") {
    return Answer(status + "\r\n" + lines + "\r\n");
}

std::string for_client(const std::string& text, const ClientSide& client = {}, bool to_head = false,
                       std::string_view to_upgrade = {}) {
    const Answer a(text, to_head, to_upgrade);
    INFO(text);
    REQUIRE(a.wrong == nullptr);
    std::string buffer;
    make_client_head(buffer, a.head, delivery_for(a.head, client.http11), client);
    return buffer;
}

TEST_CASE("an ordinary answer is read") {
    const Answer a(
        "HTTP/1.1 200 All is well\r\nContent-Length: 5\r\nX: y\r\nKeep-Alive: max=5, timeout=7\r\n\r\n");
    REQUIRE(a.wrong == nullptr);
    CHECK(a.head.status == 200);
    CHECK(a.head.reason == "All is well");
    CHECK(a.head.body == AnswerBody::length);
    CHECK(a.head.content_length == 5);
    CHECK(a.head.keep_alive);
    CHECK(a.head.keep_alive_timeout == 7u);
    CHECK_FALSE(a.head.is_interim());
}

TEST_CASE("broken answers are refused") {
    const std::pair<const char*, std::string> rows[] = {
        {"nothing", ""},
        {"no line end", "HTTP/1.1 200 OK"},
        {"bare LF after the status line", "HTTP/1.1 200 OK\nX: y\r\n\r\n"},
        {"bare LF after a field", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\r\n"},
        {"bare CR in a field", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"},
        {"no empty line", "HTTP/1.1 200 OK\r\nX: y\r\n"},
        {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"},
        {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"},
        {"lower case", "http/1.1 200 OK\r\n\r\n"},
        {"ICY", "ICY 200 OK\r\n\r\n"},
        {"two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
        {"no status", "HTTP/1.1 \r\n\r\n"},
        {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
        {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
        {"a status that is a word", "HTTP/1.1 abc OK\r\n\r\n"},
        {"a signed status", "HTTP/1.1 +20 OK\r\n\r\n"},
        {"status 099", "HTTP/1.1 099 OK\r\n\r\n"},
        {"status 600", "HTTP/1.1 600 OK\r\n\r\n"},
        {"status 000", "HTTP/1.1 000 OK\r\n\r\n"},
        {"a tab behind the status", "HTTP/1.1 200\tOK\r\n\r\n"},
        {"a control in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n"},
        {"an escape in the reason", "HTTP/1.1 200 \x1B[2J\r\n\r\n"},
        {"a folded line", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n"},
        {"a leading folded line", "HTTP/1.1 200 OK\r\n X: y\r\n\r\n"},
        {"a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n"},
        {"a field without a name", "HTTP/1.1 200 OK\r\n: y\r\n\r\n"},
        {"a field without a colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n"},
        {"NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s},
        {"both framings", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"both framings, other order",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"},
        {"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"},
        {"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"},
        {"a hexadecimal length", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n"},
        {"an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"},
        {"a length beyond all bounds", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"},
        {"gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
        {"identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n"},
        {"chunked twice",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"a 101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"},
    };
    for (const auto& [what, text] : rows) {
        CAPTURE(what);
        CHECK(Answer(text).wrong != nullptr);
    }
}

TEST_CASE("a head that is cut is refused, never read past") {
    const auto whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\n"sv;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(Answer(whole.substr(0, size)).wrong != nullptr);
    }
}

TEST_CASE("the body is what status, request and framing say") {
    struct Row {
        const char* status;
        const char* lines;
        bool to_head;
        AnswerBody body;
        bool keep_alive;
    };
    const Row rows[] = {
        {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", false, AnswerBody::length, true},
        {"HTTP/1.1 200 OK", "Content-Length: 0\r\n", false, AnswerBody::none, true},
        {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", false, AnswerBody::chunked, true},
        {"HTTP/1.1 200 OK", "", false, AnswerBody::until_close, false},
        {"HTTP/1.0 200 OK", "", false, AnswerBody::until_close, false},
        {"HTTP/1.1 200", "Content-Length: 5\r\n", false, AnswerBody::length, true},
        {"HTTP/1.1 200 ", "Content-Length: 5\r\n", false, AnswerBody::length, true},
        {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", true, AnswerBody::none, true},
        {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", true, AnswerBody::none, true},
        {"HTTP/1.1 200 OK", "", true, AnswerBody::none, true},
        {"HTTP/1.1 204 No Content", "", false, AnswerBody::none, true},
        {"HTTP/1.1 204 No Content", "Content-Length: 0\r\n", false, AnswerBody::none, true},
        {"HTTP/1.1 204 No Content", "Content-Length: 5\r\n", false, AnswerBody::none, false},
        {"HTTP/1.1 204 No Content", "Transfer-Encoding: chunked\r\n", false, AnswerBody::none, false},
        {"HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked\r\n", false, AnswerBody::none, false},
        {"HTTP/1.1 304 Not Modified", "Content-Length: 5\r\n", false, AnswerBody::none, true},
        {"HTTP/1.1 100 Continue", "", false, AnswerBody::none, true},
        {"HTTP/1.1 103 Early Hints", "Link: x\r\n", false, AnswerBody::none, true},
        {"HTTP/1.1 200 OK", "Content-Length: 5\r\nConnection: close\r\n", false, AnswerBody::length, false},
        {"HTTP/1.0 200 OK", "Content-Length: 5\r\n", false, AnswerBody::length, false},
        {"HTTP/1.0 200 OK", "Content-Length: 5\r\nConnection: Keep-Alive\r\n", false, AnswerBody::length,
         true},
        {"HTTP/1.1 200 OK", "Content-Length: 5\r\nConnection: keep-alive, close\r\n", false,
         AnswerBody::length, false},
        {"HTTP/1.1 599 X", "Content-Length: 5\r\n", false, AnswerBody::length, true},
    };
    for (const auto& row : rows) {
        const Answer a(row.status + "\r\n"s + row.lines + "\r\n", row.to_head);
        CAPTURE(row.status, row.lines, row.to_head);
        REQUIRE(a.wrong == nullptr);
        CHECK(a.head.body == row.body);
        CHECK(a.head.keep_alive == row.keep_alive);
    }
    CHECK(answer("", "HTTP/1.1 100 Continue").head.is_interim());
    CHECK_FALSE(Answer("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n", false, "websocket").head.is_interim());
}

TEST_CASE("the idle time that an upstream names is read, nonsense is not") {
    const std::pair<std::string, std::optional<std::uint32_t>> rows[] = {
        {"timeout=5", 5u},          {"TIMEOUT=5, max=1", 5u},     {"max=1,timeout=0", 0u},
        {"timeout=", std::nullopt}, {"timeout=-1", std::nullopt}, {"timeout=5s", std::nullopt},
        {"timeout", std::nullopt},  {"", std::nullopt},           {"timeout=99999999999", std::nullopt}};
    for (const auto& [value, seconds] : rows) {
        CAPTURE(value);
        CHECK(answer("Content-Length: 0\r\nKeep-Alive: " + value + "\r\n").head.keep_alive_timeout ==
              seconds);
    }
    CHECK_FALSE(answer("Content-Length: 0\r\n").head.keep_alive_timeout);
}

TEST_CASE("fields are bounded") {
    std::string lines;
    for (std::size_t i = 0; i < max_response_fields; ++i) lines += "X: y\r\n";
    CHECK(answer(lines).wrong == nullptr);
    CHECK(answer(lines + "X: y\r\n").wrong != nullptr);
}

TEST_CASE("the client gets the answer with framing of ours, byte for byte") {
    CHECK(
        for_client("HTTP/1.0 200 Fine\r\nServer: s\r\nContent-Length: 007\r\nConnection: X-Hop\r\nX-Hop: "
                   "1\r\nKeep-Alive: timeout=1\r\n"
                   "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: "
                   "x\r\nUpgrade: h2c\r\n\r\n") ==
        "HTTP/1.1 200 Fine\r\nServer: s\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 7\r\n\r\n");
    CHECK(for_client("HTTP/1.1 200\r\nTransfer-Encoding: CHUNKED\r\n\r\n") ==
          "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(for_client("HTTP/1.1 200 OK\r\n\r\n") == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("how the body reaches the client depends on what the client speaks") {
    const auto chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"s;
    CHECK(delivery_for(Answer(chunked).head, true) == Delivery::chunked);
    CHECK(delivery_for(Answer(chunked).head, false) == Delivery::until_close);
    CHECK(delivery_for(Answer("HTTP/1.0 200 OK\r\n\r\n").head, true) == Delivery::chunked);
    CHECK(delivery_for(Answer("HTTP/1.0 200 OK\r\n\r\n").head, false) == Delivery::until_close);
    CHECK(delivery_for(Answer("HTTP/1.1 204 X\r\n\r\n").head, false) == Delivery::none);
    CHECK(for_client(chunked, {false, true}) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    CHECK(for_client("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", {false, false}) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n");
    CHECK(for_client("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", {true, true}) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n");
}

TEST_CASE("answers without a body keep the length that they speak of, where they may") {
    CHECK(for_client("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {}, true) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    CHECK(for_client("HTTP/1.1 200 OK\r\n\r\n", {}, true) == "HTTP/1.1 200 OK\r\n\r\n");
    CHECK(for_client("HTTP/1.1 304 NM\r\nContent-Length: 5\r\n\r\n") ==
          "HTTP/1.1 304 NM\r\nContent-Length: 5\r\n\r\n");
    CHECK(for_client("HTTP/1.1 204 NC\r\nContent-Length: 5\r\n\r\n") == "HTTP/1.1 204 NC\r\n\r\n");
    CHECK(for_client("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") ==
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK(for_client("HTTP/1.1 103 EH\r\nLink: </x>\r\nContent-Length: 9\r\n\r\n", {true, true}) ==
          "HTTP/1.1 103 EH\r\nLink: </x>\r\n\r\n");
}

TEST_CASE("a 101 that was asked for switches") {
    CHECK(for_client("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: "
                     "websocket\r\nSec-WebSocket-Accept: k\r\n\r\n",
                     {}, false, "websocket") ==
          "HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: k\r\nConnection: Upgrade\r\nUpgrade: "
          "websocket\r\n\r\n");
}

TEST_CASE("a 101 switches to the protocol that was asked for, and to no other") {
    const auto head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"s;
    for (const auto& lines :
         {"Upgrade: websocket\r\n"s, "UPGRADE: WebSocket\r\n"s, "Upgrade:\t websocket \r\n"s}) {
        CAPTURE(lines);
        CHECK(Answer(head + lines + "\r\n", false, "websocket").wrong == nullptr);
        CHECK(Answer(head + lines + "\r\n", false, "WEBSOCKET").wrong == nullptr);
        CHECK(Answer(head + lines + "\r\n", false, "h2c").wrong != nullptr);
        CHECK(Answer(head + lines + "\r\n").wrong != nullptr);
    }
    for (const auto& lines :
         {""s, "Upgrade:\r\n"s, "Upgrade: h2c\r\n"s, "Upgrade: websocket2\r\n"s, "Upgrade: websocke\r\n"s,
          "Upgrade: websocket, h2c\r\n"s, "Upgrade: h2c, websocket\r\n"s, "Upgrade: websocket/13\r\n"s,
          "Upgrade: websocket\r\nUpgrade: h2c\r\n"s, "X-Upgrade: websocket\r\n"s}) {
        CAPTURE(lines);
        CHECK(Answer(head + lines + "\r\n", false, "websocket").wrong != nullptr);
        CHECK(Answer(head + lines + "\r\n").wrong != nullptr);
    }
    // Any other answer may name protocols as it likes.
    CHECK(Answer("HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\n\r\n", false, "websocket").wrong ==
          nullptr);
}

TEST_CASE("an answer's Connection names so many fields at most") {
    std::string names;
    for (std::size_t i = 0; i < max_connection_options; ++i) names += ", x" + std::to_string(i);
    CHECK(answer("Connection: close, keep-alive, upgrade" + names + "\r\n").wrong == nullptr);
    CHECK(answer("Connection: close" + names + ", x\r\n").wrong != nullptr);
    CHECK(answer("Connection: close" + names + "\r\nConnection: x\r\n").wrong != nullptr);
}

TEST_CASE("one object reads many answers and keeps nothing of the one before") {
    ResponseHead head;
    REQUIRE(parse_response_head("HTTP/1.1 200 A\r\nContent-Length: 5\r\nConnection: X\r\nKeep-Alive: "
                                "timeout=3\r\nUpgrade: u\r\n\r\n",
                                false, {}, head) == nullptr);
    REQUIRE(parse_response_head("HTTP/1.1 204\r\n\r\n", false, {}, head) == nullptr);
    CHECK(head.reason.empty());
    CHECK(head.fields.empty());
    CHECK(head.connection_options.empty());
    CHECK_FALSE(head.keep_alive_timeout);
    CHECK(head.upgrade.empty());
    CHECK(head.keep_alive);
    CHECK(head.content_length == UINT64_MAX);
}

}  // namespace
}  // namespace signet::http
