#include "base/text.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/plain_http.hpp"
#include "base/reason.hpp"
#include "base/token_text.hpp"
#include "unit/support/exact.hpp"

namespace signet {
namespace {

using namespace std::literals;
using test::Exact;

TEST_CASE("ASCII letters fold, nothing else does") {
    CHECK(to_lower("AZaz09-_@[`{") == "azaz09-_@[`{");
    CHECK(to_lower("\xC3\x89") == "\xC3\x89");
    CHECK(iequals("Content-Type", "cONTENT-tYPE"));
    CHECK(iequals("", ""));
    CHECK_FALSE(iequals("a", ""));
    CHECK_FALSE(iequals("@", "`"));
    CHECK_FALSE(iequals("[", "{"));
    CHECK_FALSE(iequals("\xC3\x89", "\xC3\xA9"));
    CHECK_FALSE(iequals("k", "\xE2\x84\xAA"));  // the Kelvin sign
    for (int c = 0; c < 256; ++c) {
        const char x = static_cast<char>(c);
        const bool digit = c >= '0' && c <= '9', letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        CAPTURE(c);
        CHECK(is_digit(x) == digit);
        CHECK(is_alnum(x) == (digit || letter));
        const auto hex = "0123456789abcdef"sv.find(lower(x));
        CHECK(hex_value(x) == (hex == std::string_view::npos ? -1 : static_cast<int>(hex)));
    }
}

TEST_CASE("outer spaces and tabs are trimmed, other white space is not") {
    CHECK(trim_ows(" \t a b\t ") == "a b");
    CHECK(trim_ows("\r\na\v").size() == 4);
    CHECK(trim_ows(Exact(" ").view()).empty());
    CHECK(trim_ows("").empty());
}

TEST_CASE("bytes are written as hexadecimal digits") {
    CHECK(to_hex("\x00\x0f\xf0\xff"sv) == "000ff0ff");
    CHECK(to_hex("").empty());
}

TEST_CASE("decimal numbers are digits and nothing but digits") {
    CHECK(parse_decimal("0") == 0u);
    CHECK(parse_decimal("007") == 7u);
    CHECK(parse_decimal("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    for (const auto text :
         {""sv, "18446744073709551616"sv, "99999999999999999999999"sv, "+5"sv, "-1"sv, " 5"sv, "5 "sv,
          "5,5"sv, "5 5"sv, "0x5"sv, "5\0"sv, "5e1"sv, "1.0"sv, "٣"sv, "\t1"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parse_decimal(Exact(text).view()));
    }
}

TEST_CASE("a comma-separated list gives every element, empty ones too") {
    const auto elements = [](std::string_view list) {
        std::string out;
        for_each_element(Exact(list).view(), [&](std::string_view e) { out += "<" + std::string(e) + ">"; });
        return out;
    };
    CHECK(elements("a") == "<a>");
    CHECK(elements("a, b ,\tc") == "<a><b><c>");
    CHECK(elements("") == "<>");
    CHECK(elements(",a,") == "<><a><>");
    CHECK(elements(" , ") == "<><>");
}

TEST_CASE("a misspelt word finds what was meant, a foreign one finds nothing") {
    static constexpr std::string_view words[] = {"upstream", "upstreams", "issuers",
                                                 "listen",   "log",       "tokens"};
    const auto meant = [](std::string_view word) {
        return closest(word, std::begin(words), std::end(words)).value_or("nothing");
    };
    CHECK(meant("upsteram") == "upstream");
    CHECK(meant("Upstream") == "upstream");
    CHECK(meant("issuer") == "issuers");
    CHECK(meant("lisen") == "listen");
    CHECK(meant("lg") == "log");
    CHECK(meant("completely_else") == "nothing");
    CHECK(meant("") == "nothing");
    CHECK_FALSE(closest("x", std::begin(words), std::begin(words)));
}

TEST_CASE("two letters that changed places are one mistake") {
    static constexpr std::string_view words[] = {"host", "url", "log", "listen", "upstream"};
    const auto meant = [](std::string_view word) {
        return closest(word, std::begin(words), std::end(words)).value_or("nothing");
    };
    CHECK(meant("hots") == "host");
    CHECK(meant("ohst") == "host");
    CHECK(meant("HOTS") == "host");
    CHECK(meant("ulr") == "url");
    CHECK(meant("lgo") == "log");
    CHECK(meant("litsen") == "listen");
    CHECK(meant("pustraem") == "upstream");
    CHECK(meant("thos") == "nothing");  // further apart than one exchange
    CHECK(meant("tohs") == "nothing");
    CHECK(meant("gol") == "nothing");
}

TEST_CASE("moments are written in UTC with milliseconds") {
    CHECK(rfc3339(0) == "1970-01-01T00:00:00.000Z");
    CHECK(rfc3339(1) == "1970-01-01T00:00:00.001Z");
    CHECK(rfc3339(951'782'400'000) == "2000-02-29T00:00:00.000Z");
    CHECK(rfc3339(1'700'000'000'123) == "2023-11-14T22:13:20.123Z");
    CHECK(rfc3339(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("moments are read from Unix seconds and from RFC 3339") {
    const std::pair<std::string_view, std::int64_t> rows[] = {
        {"0", 0},
        {"1700000000", 1'700'000'000'000},
        {"253402300799", 253'402'300'799'000},
        {"1970-01-01T00:00:00Z", 0},
        {"2023-11-14T22:13:20Z", 1'700'000'000'000},
        {"2023-11-14t22:13:20z", 1'700'000'000'000},
        {"2023-11-14T22:13:20.1Z", 1'700'000'000'100},
        {"2023-11-14T22:13:20.123Z", 1'700'000'000'123},
        {"2023-11-14T22:13:20.123999999Z", 1'700'000'000'123},
        {"2023-11-14T23:13:20+01:00", 1'700'000'000'000},
        {"2023-11-14T16:43:20-05:30", 1'700'000'000'000},
        {"2023-11-15T22:12:20+23:59", 1'700'000'000'000},
        {"2023-11-14T22:13:20-00:00", 1'700'000'000'000},
        {"2024-02-29T00:00:00Z", 1'709'164'800'000},
        {"2016-12-31T23:59:60Z", 1'483'228'800'000},
        {"9999-12-31T23:59:59Z", 253'402'300'799'000},
    };
    for (const auto& [text, ms] : rows) {
        CAPTURE(text);
        CHECK(parse_time(Exact(text).view()) == ms);
    }
    for (const std::int64_t ms : {0LL, 1LL, 951'782'400'000LL, 1'700'000'000'123LL, 253'402'300'799'999LL})
        CHECK(parse_time(rfc3339(ms)) == ms);
}

TEST_CASE("what is no moment is not read") {
    for (const auto text : {""sv,
                            " "sv,
                            "-1"sv,
                            "+1"sv,
                            "1.5"sv,
                            "253402300800"sv,
                            "18446744073709551616"sv,
                            "now"sv,
                            "10m"sv,
                            "2023-11-14"sv,
                            "2023-11-14T22:13:20"sv,
                            "2023-11-14 22:13:20Z"sv,
                            "2023-11-14T22:13Z"sv,
                            "2023-11-14T22:13:20.Z"sv,
                            "2023-11-14T22:13:20.xZ"sv,
                            "2023-13-01T00:00:00Z"sv,
                            "2023-00-01T00:00:00Z"sv,
                            "2023-02-29T00:00:00Z"sv,
                            "2023-04-31T00:00:00Z"sv,
                            "2023-01-00T00:00:00Z"sv,
                            "2023-01-01T24:00:00Z"sv,
                            "2023-01-01T00:60:00Z"sv,
                            "2023-01-01T00:00:61Z"sv,
                            "2023-01-01T00:00:00ZZ"sv,
                            "2023-01-01T00:00:00+1:00"sv,
                            "2023-01-01T00:00:00+0100"sv,
                            "2023-01-01T00:00:00+24:00"sv,
                            "2023-01-01T00:00:00+01:60"sv,
                            "2023-01-01T00:00:00 01:00"sv,
                            "2023-01-01T00:00:00+01:00x"sv,
                            "+023-01-01T00:00:00Z"sv,
                            "2023-+1-01T00:00:00Z"sv,
                            "2023/01/01T00:00:00Z"sv,
                            "2023-01-01T00.00.00Z"sv,
                            "1969-12-31T23:59:59Z"sv,
                            "1970-01-01T00:00:00+00:01"sv,
                            "2023-01-01T00:00:00\0"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(Exact(text).view()));
    }
}

TEST_CASE("base64, by RFC 4648 section 10") {
    CHECK(to_base64("") == "");
    CHECK(to_base64("f") == "Zg==");
    CHECK(to_base64("fo") == "Zm8=");
    CHECK(to_base64("foo") == "Zm9v");
    CHECK(to_base64("foob") == "Zm9vYg==");
    CHECK(to_base64("fooba") == "Zm9vYmE=");
    CHECK(to_base64("foobar") == "Zm9vYmFy");
    CHECK(to_base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("each reason has its word, a title and advice, and the status that the contract names") {
    std::vector<std::string_view> words;
    for (std::size_t i = 0; i < reason_count; ++i) {
        const auto& what = info(static_cast<Reason>(i));
        CAPTURE(what.word);
        CHECK(std::find(words.begin(), words.end(), what.word) == words.end());
        words.push_back(what.word);
        CHECK_FALSE(what.title.empty());
        CHECK_FALSE(what.advice.empty());
        CHECK(what.challenge == (what.status == 401 || !what.oauth_error.empty()));
        if (what.status == 401)
            CHECK(what.oauth_error == (what.word == "token_missing"                      ? ""
                                       : what.word == "insufficient_user_authentication" ? what.word
                                                                                         : "invalid_token"));
    }
    struct Row {
        Reason reason;
        std::string_view word, error;
        int status;
    };
    for (const auto& row : {Row{Reason::token_missing, "token_missing", "", 401},
                            {Reason::multiple_tokens, "multiple_tokens", "invalid_request", 400},
                            {Reason::token_malformed, "token_malformed", "invalid_token", 401},
                            {Reason::revoked, "revoked", "invalid_token", 401},
                            {Reason::scope_insufficient, "scope_insufficient", "insufficient_scope", 403},
                            {Reason::insufficient_user_authentication, "insufficient_user_authentication",
                             "insufficient_user_authentication", 401},
                            {Reason::claim_not_allowed, "claim_not_allowed", "", 403},
                            {Reason::csrf_rejected, "csrf_rejected", "", 403},
                            {Reason::keys_unavailable, "keys_unavailable", "", 503},
                            {Reason::revocation_stale, "revocation_stale", "", 503},
                            {Reason::overloaded, "overloaded", "", 503},
                            {Reason::no_route, "no_route", "", 404},
                            {Reason::bad_request, "bad_request", "", 400},
                            {Reason::upstream_unreachable, "upstream_unreachable", "", 502},
                            {Reason::upstream_timeout, "upstream_timeout", "", 504}}) {
        CAPTURE(row.word);
        CHECK(word(row.reason) == row.word);
        CHECK(info(row.reason).status == row.status);
        CHECK(info(row.reason).oauth_error == row.error);
    }
}

TEST_CASE("a plain request's header is found without case, its path without the query") {
    const PlainRequest request{"GET", "/v1/status?x=1", {{"Host", "a"}, {"HOST", "b"}, {"X-Empty", ""}}, ""};
    CHECK(request.header("host") == "a");
    CHECK(request.header("x-empty").empty());
    CHECK(request.header("none").empty());
    CHECK(request.path() == "/v1/status");
}

TEST_CASE("tokens compare by their bytes") {
    CHECK(TokenText("a.b.c") == TokenText("a.b.c"s));
    CHECK_FALSE(TokenText("a.b.c") == TokenText("a.b.C"));
    CHECK(TokenText().empty());
    CHECK(TokenText("abc").size() == 3);
}

}  // namespace
}  // namespace signet
