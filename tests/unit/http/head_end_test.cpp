#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "http/request_head.hpp"
#include "unit/support/exact.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using State = HeadEnd::State;
using test::Exact;

HeadEnd at_once(std::string_view bytes) {
    const Exact exact(bytes);
    std::size_t scanned = 0;
    return find_head_end(exact.view(), scanned);
}

TEST_CASE("the end of a head is the empty line") {
    struct Row {
        std::string_view bytes;
        State state;
        std::size_t size;
    };
    for (const auto& row : {Row{"", State::incomplete, 0},
                            {"GET / HTTP/1.1", State::incomplete, 0},
                            {"G\r", State::incomplete, 0},
                            {"G\r\n", State::incomplete, 0},
                            {"G\r\n\r", State::incomplete, 0},
                            {"G\r\n\r\n", State::complete, 5},
                            {"G\r\n\r\nbody\n", State::complete, 5},
                            {"G\r\nA: b\r\n\r\nGET ", State::complete, 11},
                            {"G\n", State::broken, 0},
                            {"\n", State::broken, 0},
                            {"G\r\n\n", State::broken, 0},
                            {"G\r\nA: b\n\r\n", State::broken, 0},
                            {"G\n\r\n", State::broken, 0},
                            {"G\r\nA: b\n\n", State::broken, 0}}) {
        CAPTURE(row.bytes);
        const auto end = at_once(row.bytes);
        CHECK(end.state == row.state);
        CHECK(end.size == row.size);
        CHECK(std::string_view(end.detail).empty() == (row.state != State::broken));
    }
}

TEST_CASE("the end is the same wherever the bytes are split, in two and one by one") {
    for (const auto text : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
                            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n\r\n"sv, "G\r\n\r\n"sv,
                            "G\r\nA: b\rc\r\n\r\n"sv, "G\r\nA: b\nc\r\n\r\n"sv}) {
        const auto whole = at_once(text);
        for (std::size_t split = 0; split <= text.size(); ++split) {
            const Exact head(text.substr(0, split)), all(text);
            std::size_t scanned = 0;
            const auto first = find_head_end(head.view(), scanned);
            CHECK(scanned <= split);
            CAPTURE(text, split);
            if (first.state == State::incomplete) {
                const auto second = find_head_end(all.view(), scanned);
                CHECK(second.state == whole.state);
                CHECK(second.size == whole.size);
            } else {
                CHECK(first.state == whole.state);
                CHECK(first.size == whole.size);
            }
        }
        std::size_t scanned = 0;
        HeadEnd end;
        for (std::size_t size = 1; size <= text.size() && end.state == State::incomplete; ++size)
            end = find_head_end(Exact(text.substr(0, size)).view(), scanned);
        CHECK(end.state == whole.state);
        CHECK(end.size == whole.size);
    }
}

TEST_CASE("nothing is looked at twice") {
    std::size_t scanned = 0;
    const std::string text = "GET /" + std::string(1000, 'x');
    CHECK(find_head_end(text, scanned).state == State::incomplete);
    CHECK(scanned == text.size());
    CHECK(find_head_end(text, scanned).state == State::incomplete);
}

TEST_CASE("one empty line before a request is skipped, not two and no bare LF") {
    CHECK(leading_empty_line("\r\nGET") == 2);
    CHECK(leading_empty_line("\r\n\r\nGET") == 2);
    CHECK(leading_empty_line("GET") == 0);
    CHECK(leading_empty_line("\nGET") == 0);
    CHECK(leading_empty_line(Exact("\r").view()) == 0);
    CHECK(leading_empty_line("") == 0);
    HeaderNames names;
    RequestHead head;
    CHECK(parse_request_head("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", names, {}, head));
}

TEST_CASE("a head without its end is refused, not read past") {
    const HeaderNames names;
    const auto whole = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"sv;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        RequestHead head;
        CAPTURE(size);
        CHECK(parse_request_head(Exact(whole.substr(0, size)).view(), names, {}, head));
    }
}

TEST_CASE("tokens are RFC 9110's tchar and never empty") {
    for (int c = 0; c < 256; ++c) {
        const char x = static_cast<char>(c);
        const bool letter_or_digit =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        const bool mark = c != 0 && "!#$%&'*+-.^_`|~"sv.find(x) != std::string_view::npos;
        CAPTURE(c);
        CHECK(is_token({&x, 1}) == (letter_or_digit || mark));
    }
    CHECK_FALSE(is_token(""));
    CHECK_FALSE(is_token("a b"));
}

}  // namespace
}  // namespace signet::http
