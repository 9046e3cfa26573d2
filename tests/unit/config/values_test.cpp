#include "config/values.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"
#include "unit/support/printing.hpp"

namespace signet::config {
namespace {

using namespace std::literals;
using test::Exact;

TEST_CASE("durations have a unit") {
    for (const auto& [text, ms] : {std::pair{"0s"sv, 0},
                                   {"500ms"sv, 500},
                                   {"30s"sv, 30'000},
                                   {"10m"sv, 600'000},
                                   {"24h"sv, 86'400'000}})
        CHECK(parse_duration(Exact(text).view()).value().count() == ms);
    for (const auto text :
         {""sv, "s"sv, "10"sv, "0"sv, "-1s"sv, "+1s"sv, "1.5s"sv, "1 s"sv, " 1s"sv, "1s "sv, "1S"sv, "1d"sv,
          "1sec"sv, "1m30s"sv, "1e3s"sv, "99999999999999999999h"sv, "9999999999999999h"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(Exact(text).view()));
    }
}

TEST_CASE("sizes are bytes or binary multiples") {
    for (const auto& [text, bytes] : {std::pair{"0"sv, 0u},
                                      {"512"sv, 512u},
                                      {"512B"sv, 512u},
                                      {"16KiB"sv, 16u * 1024},
                                      {"16MiB"sv, 16u << 20},
                                      {"1GiB"sv, 1u << 30}})
        CHECK(parse_size(Exact(text).view()).value() == bytes);
    for (const auto text : {""sv, "KiB"sv, "16KB"sv, "16k"sv, "16kib"sv, "-1"sv, "1.5MiB"sv, "16 KiB"sv,
                            "0x10"sv, "99999999GiB"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parse_size(Exact(text).view()));
    }
}

TEST_CASE("listen addresses are an IP address and a port") {
    struct Row {
        std::string_view text, host;
        int port;
    };
    for (const auto& row : {Row{"0.0.0.0:8080", "0.0.0.0", 8080},
                            {"[::]:8080", "::", 8080},
                            {"[::1]:0", "::1", 0},
                            {":8080", "0.0.0.0", 8080},
                            {"localhost:9901", "127.0.0.1", 9901},
                            {"127.0.0.1:65535", "127.0.0.1", 65535}}) {
        const auto address = parse_listen_address(Exact(row.text).view());
        CAPTURE(row.text);
        REQUIRE(address);
        CHECK(address->host == row.host);
        CHECK(address->port == row.port);
    }
    for (const auto text : {""sv, ":"sv, "8080"sv, "0.0.0.0"sv, "0.0.0.0:"sv, "0.0.0.0:http"sv,
                            "0.0.0.0:65536"sv, "0.0.0.0:-1"sv, "host.example:80"sv, "256.0.0.1:80"sv,
                            "[::1:80"sv, "http://0.0.0.0:80"sv, "0.0.0.0: 80"sv, "[]:80"sv, "::1:80"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parse_listen_address(Exact(text).view()));
    }
}

TEST_CASE("URLs are http or https with a host, a port in range and a path") {
    struct Row {
        std::string_view text;
        bool https;
        std::string_view host;
        int port;
        std::string_view path;
    };
    for (const auto& row : {Row{"http://a", false, "a", 80, ""},
                            {"https://a", true, "a", 443, ""},
                            {"HTTPS://a.example/", true, "a.example", 443, "/"},
                            {"http://a:8080/x/y", false, "a", 8080, "/x/y"},
                            {"http://127.0.0.1:1", false, "127.0.0.1", 1, ""},
                            {"https://[::1]:8443/x", true, "::1", 8443, "/x"},
                            {"http://a_b.c:65535", false, "a_b.c", 65535, ""}}) {
        const auto url = parse_url(Exact(row.text).view());
        CAPTURE(row.text);
        REQUIRE(url);
        CHECK(url->https == row.https);
        CHECK(url->host == row.host);
        CHECK(url->port == row.port);
        CHECK(url->path == row.path);
    }
    for (const auto text : {""sv,
                            "a"sv,
                            "a:80"sv,
                            "//a"sv,
                            "http:"sv,
                            "http:a"sv,
                            "http:/a"sv,
                            "http://"sv,
                            "http:///x"sv,
                            "ftp://a"sv,
                            "unix:/a"sv,
                            "http://u@a/"sv,
                            "http://u:p@a/"sv,
                            "http://a?x"sv,
                            "http://a/x#y"sv,
                            "http://a b"sv,
                            "http://a/ b"sv,
                            " http://a"sv,
                            "http://a "sv,
                            "http://a\n"sv,
                            "http://app:http"sv,
                            "http://app:http/x"sv,
                            "http://app:808O"sv,
                            "http://app:8080x/y"sv,
                            "http://app:65536"sv,
                            "http://app:99999/"sv,
                            "http://app:-1"sv,
                            "http://[::1]:x"sv,
                            "http://[::1"sv,
                            "http://a%2fb/"sv,
                            "http://a%00/"sv,
                            "http://a\\b"sv,
                            "http://a:80:81"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parse_url(Exact(text).view()));
    }
}

TEST_CASE("variables are replaced once, with defaults, and never guessed") {
    const std::map<std::string, std::string> variables{{"A", "one"}, {"B", ""}, {"C", "${A} $ $$"}};
    const Environment environment = [&](const std::string& name) {
        const auto it = variables.find(name);
        return it == variables.end() ? std::nullopt : std::optional(it->second);
    };
    for (const auto& [text, expected] : {std::pair{"plain"sv, "plain"sv},
                                         {""sv, ""sv},
                                         {"${A}"sv, "one"sv},
                                         {"x${A}y${A}"sv, "xoneyone"sv},
                                         {"${B}"sv, ""sv},
                                         {"${B:-d}"sv, "d"sv},
                                         {"${N:-d}"sv, "d"sv},
                                         {"${N:-}"sv, ""sv},
                                         {"${A:-d}"sv, "one"sv},
                                         {"$$"sv, "$"sv},
                                         {"$${A}"sv, "${A}"sv},
                                         {"$$$$"sv, "$$"sv},
                                         {"${C}"sv, "${A} $ $$"sv},
                                         {"${N:-a:-b}"sv, "a:-b"sv},
                                         {"}{"sv, "}{"sv}}) {
        const auto out = substitute(Exact(text).view(), environment);
        CAPTURE(text);
        REQUIRE(out);
        CHECK(*out == expected);
    }
    for (const auto text :
         {"$"sv, "$A"sv, "a$"sv, "${"sv, "${A"sv, "${}"sv, "${:-x}"sv, "${N}"sv, "$ {A}"sv, "$$$"sv}) {
        CAPTURE(text);
        CHECK_FALSE(substitute(Exact(text).view(), environment));
    }
    CHECK_THAT(substitute("${NOT_SET}", environment).error().message, Catch::Contains("NOT_SET"));
}

}  // namespace
}  // namespace signet::config
