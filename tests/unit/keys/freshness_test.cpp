#include "keys/freshness.hpp"

#include <catch2/catch.hpp>
#include <string_view>

namespace signet::keys {
namespace {

constexpr WallTime at(std::int64_t unix_seconds) { return WallTime(seconds(unix_seconds)); }
constexpr WallTime now = at(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT

std::optional<std::int64_t> left(const FreshnessFields& fields) {
    const auto found = time_left(fields, now);
    return found ? std::optional(found->count()) : std::nullopt;
}

TEST_CASE("an HTTP-date is read in its three forms, and nothing else is one") {
    for (const auto* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov  6 08:49:37 1994", "Sun, 06 nov 1994 08:49:37 GMT"}) {
        CAPTURE(text);
        CHECK(parse_http_date(text) == now);
    }
    CHECK(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT") == at(1709164800));
    for (const auto* text :
         {"", "0", "-1", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 PST",
          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
          "Sun, 06 Nov 1994 8:49:37 GMT", "1994-11-06T08:49:37Z",
          "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 08:49:37 GMT junk"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_http_date(text));
    }
}

TEST_CASE("a positive max-age counts, less what a cache has used up") {
    struct Row {
        const char* cache_control;
        const char* age;
        std::optional<std::int64_t> left;
    };
    for (const auto& row : {Row{"max-age=120", "", 120},
                            {"public, Max-Age=120, must-revalidate", "", 120},
                            {"max-age=\"120\"", "", 120},
                            {"max-age=120", "50", 70},
                            {"max-age=120", "500", 1},
                            {"max-age=120", "nonsense", 120},
                            {"max-age=120, max-age=7", "", 120},
                            {"s-maxage=5", "", {}},
                            {"max-age=0", "", {}},
                            {"max-age", "", {}},
                            {"max-age=", "", {}},
                            {"max-age=-5", "", {}},
                            {"max-age=1.5", "", {}},
                            {"no-store", "", {}},
                            {"", "", {}},
                            {"", "10", {}},
                            {"max-age=99999999999999999999999", "", 315'360'000}}) {
        CAPTURE(row.cache_control, row.age);
        CHECK(left({row.cache_control, {}, {}, row.age}) == row.left);
    }
}

TEST_CASE("without a max-age, Expires counts from Date, or from now") {
    CHECK(left({{}, "Sun, 06 Nov 1994 08:51:37 GMT", {}, {}}) == 120);
    CHECK(left({{}, "Sun, 06 Nov 1994 08:51:37 GMT", "Sun, 06 Nov 1994 08:51:07 GMT", {}}) == 30);
    CHECK(left({{}, "Sun, 06 Nov 1994 08:51:37 GMT", {}, "100"}) == 20);
    CHECK_FALSE(left({{}, "Sun, 06 Nov 1994 08:49:37 GMT", {}, {}}));
    CHECK_FALSE(left({{}, "0", {}, {}}));
    // RFC 9111 §5.3: a max-age, also one of 0, outweighs it.
    CHECK(left({"max-age=7", "Sun, 06 Nov 1994 08:51:37 GMT", {}, {}}) == 7);
    CHECK_FALSE(left({"max-age=0", "Sun, 06 Nov 1994 08:51:37 GMT", {}, {}}));
}

}  // namespace
}  // namespace signet::keys
