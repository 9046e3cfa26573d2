#include "http/target.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Exact;

struct Outcome {
    std::string path, match, query;
    int status = 0;  // 0: good
};

Outcome normal(std::string_view target, EncodedSlashes slashes = EncodedSlashes::reject) {
    const Exact exact(target);
    Target out;
    const auto wrong = normalise_target(exact.view(), slashes, out);
    if (wrong) return {"", "", "", wrong->status};
    return {std::string(out.path), std::string(out.match_path), std::string(out.query)};
}

TEST_CASE("a path is brought to its one form") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"/", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"/a/b.c/d..e/...", "/a/b.c/d..e/..."},
        {"/.well-known/x", "/.well-known/x"},
        {"/..a/b", "/..a/b"},
        {"//", "/"},
        {"///a//b///", "/a/b/"},
        {"/a/./b", "/a/b"},
        {"/./a", "/a"},
        {"/.", "/"},
        {"/a/.", "/a/"},
        {"/a/b/..", "/a/"},
        {"/a/b/../c", "/a/c"},
        {"/a/../b/../c", "/c"},
        {"/a/..", "/"},
        {"/a/../", "/"},
        {"/a//../b", "/b"},
        {"/a/b/c/../../d", "/a/d"},
        {"/%61%7E%2D%5F%2e5", "/a~-_.5"},
        {"/%41dmin", "/Admin"},
        {"/a/%2e/b", "/a/b"},
        {"/a/%2E%2e/b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a%20b", "/a%20b"},
        {"/%c3%a9", "/%C3%A9"},
        {"/a%3fb%23c%25d", "/a%3Fb%23c%25d"},
        {"/a%3bb", "/a%3Bb"},
        {"/%2541", "/%2541"},
        {"/100%25", "/100%25"},
        {"/%25zz", "/%25zz"},
        {"/%25%2534%2531", "/%25%2534%2531"},  // a letter, below three layers
        {"/%2532%65", "/%2532e"},              // digits only, however often it is decoded
        {"/%2525%2525", "/%2525%2525"},
        {"/a%2520b", "/a%2520b"},
        {"/!$&'()*+,=:@", "/!$&'()*+,=:@"},
        {"/\"<>[]^`{|}", "/\"<>[]^`{|}"},
        {"*", "*"},
        {"", "/"},  // what absolute-form leaves of a URL without a path
    };
    for (const auto& [target, path] : rows) {
        const auto out = normal(target);
        CAPTURE(target);
        CHECK(out.status == 0);
        CHECK(out.path == path);
        CHECK(out.match == path);
        CHECK(out.query.empty());
        // The form is final: brought to it again nothing changes.
        CHECK(normal(out.path).path == out.path);
        CHECK(normal(out.path).match == out.match);
    }
}

TEST_CASE("routes are matched without parameters, the upstream gets them") {
    struct Row {
        std::string_view target, path, match;
    };
    for (const auto& row : {Row{"/a;x=1/b", "/a;x=1/b", "/a/b"},
                            {"/a;x", "/a;x", "/a"},
                            {"/a/;x", "/a/;x", "/a/"},
                            {"/;x/admin", "/;x/admin", "/admin"},
                            {"/;", "/;", "/"},
                            {"/;x", "/;x", "/"},
                            {"/a;b;c/d;e", "/a;b;c/d;e", "/a/d"},
                            {"/a;/b", "/a;/b", "/a/b"},
                            {"/a;..", "/a;..", "/a"},
                            {"//;x//admin;y", "/;x/admin;y", "/admin"},
                            {"/;a/;b/c", "/;a/;b/c", "/c"}}) {
        const auto out = normal(row.target);
        CAPTURE(row.target);
        CHECK(out.status == 0);
        CHECK(out.path == row.path);
        CHECK(out.match == row.match);
    }
}

TEST_CASE("what has two readings is refused") {
    for (const auto target : {"/%"sv,
                              "/%2"sv,
                              "/%zz"sv,
                              "/%2g"sv,
                              "/a%"sv,
                              "/a%4"sv,
                              "/%%32%65"sv,
                              "/% 41"sv,
                              "/%u0041"sv,  // escapes
                              "/%2f"sv,
                              "/%2F"sv,
                              "/a%2fb"sv,
                              "/a%2f..%2fb"sv,  // slashes
                              "/\\"sv,
                              "/a\\b"sv,
                              "/%5c"sv,
                              "/%5C..%5c"sv,
                              "/..\\a"sv,  // backslashes
                              "/\x01"sv,
                              "/\0"sv,
                              "/\x7F"sv,
                              "/\t"sv,
                              "/a b"sv,
                              "/%00"sv,
                              "/%1f"sv,
                              "/%7f"sv,
                              "/%0d%0a"sv,
                              "/%09"sv,
                              "/#"sv,
                              "/a#b"sv,
                              "/a?b#c"sv,
                              "/?#"sv,
                              "/\x80"sv,
                              "/\xC3\xA9"sv,
                              "/\xFF"sv,
                              "/%252e"sv,
                              "/%252e%252e/x"sv,
                              "/%252f"sv,
                              "/%255c"sv,
                              "/%2500"sv,
                              "/%250a"sv,
                              "/%257f"sv,
                              "/%25252e"sv,
                              "/%2525252F"sv,
                              "/%25%32%65"sv,
                              "/%25%32%35%32%65"sv,
                              "/a%252Eb"sv,
                              "/%25%32f"sv,
                              "/%25%2532e"sv,
                              "/%25%2532%2565"sv,
                              "/a/%25%2532%2565%25%2532%2565/b"sv,
                              "/%25%2532f"sv,
                              "/%25%2535%2563"sv,
                              "/%25%2530%2530"sv,
                              "/%25%2537%2566"sv,
                              "/%2525%2532%2565"sv,
                              "/%252525252525252e"sv,
                              "/x/%252e%252e;/"sv,
                              "/..;/a"sv,
                              "/a/..;x/b"sv,
                              "/.;"sv,
                              "/a/.;x"sv,
                              "/..;"sv,
                              "/..%3b/a"sv,
                              "/.%3Bx"sv,
                              "/%2e%2e;/a"sv,
                              "/%2e%2e%3b/a"sv,
                              "/..;a/..;b"sv,
                              "/.."sv,
                              "/../"sv,
                              "/../a"sv,
                              "/a/../.."sv,
                              "/a/../../b"sv,
                              "/%2e%2e"sv,
                              "/./.."sv,
                              "//.."sv,
                              "/a/b/../../../c"sv}) {
        CAPTURE(target);
        CHECK(normal(target).status == 400);
    }
}

TEST_CASE("nothing is encoded more often than anyone would in earnest") {
    const auto layers = [](int count) {
        std::string out = "/%";
        for (int i = 0; i < count; ++i) out += "25";
        return out;
    };
    for (const int count : {1, 2, 4}) CHECK(normal(layers(count)).status == 0);
    for (const int count : {20, 1000}) CHECK(normal(layers(count)).status == 400);
    for (const int count : {1, 2, 4, 20}) CHECK(normal(layers(count) + "2e").status == 400);
}

TEST_CASE("kept slashes stay data, and hide no dot segment") {
    const std::pair<std::string_view, std::string_view> rows[] = {{"/a%2fb", "/a%2Fb"},
                                                                  {"/%2f", "/%2F"},
                                                                  {"/%2F%2f/x", "/%2F%2F/x"},
                                                                  {"/a%2f/../b", "/b"},
                                                                  {"/a%2fb.c", "/a%2Fb.c"}};
    for (const auto& [target, path] : rows) {
        const auto out = normal(target, EncodedSlashes::keep);
        CAPTURE(target);
        CHECK(out.status == 0);
        CHECK(out.path == path);
        CHECK(normal(out.path, EncodedSlashes::keep).path == out.path);
    }
    for (const auto target :
         {"/a%2f.."sv, "/..%2fa"sv, "/a%2f..%2fb"sv, "/.%2fa"sv, "/a%2F."sv, "/%2e%2e%2fx"sv, "/%252f"sv,
          "/%5c"sv, "/a%2f..;x"sv, "/a%2f..%3bx"sv, "/%2F../x"sv, "/%25%2532%2566"sv, "/%2f%25%2532e"sv}) {
        CAPTURE(target);
        CHECK(normal(target, EncodedSlashes::keep).status == 400);
    }
}

TEST_CASE("the query is passed on as it came") {
    struct Row {
        std::string_view target, path, query;
    };
    for (const auto& row : {Row{"/a?b=c", "/a", "?b=c"},
                            {"/a?", "/a", "?"},
                            {"/?/../%2e%2F%zz\\\x80;", "/", "?/../%2e%2F%zz\\\x80;"},
                            {"//a/..?x?y", "/", "?x?y"},
                            {"/a", "/a", ""},
                            {"/%61?%61", "/a", "?%61"},
                            {"?x", "/", "?x"}}) {
        const auto out = normal(row.target);
        CAPTURE(row.target);
        CHECK(out.status == 0);
        CHECK(out.path == row.path);
        CHECK(out.query == row.query);
    }
}

TEST_CASE("a path that is in order already is viewed, not copied") {
    const Exact target("/orders/17?x=y");
    Target out;
    REQUIRE_FALSE(normalise_target(target.view(), EncodedSlashes::reject, out));
    CHECK(out.path.data() == target.view().data());
    CHECK(out.match_path.data() == target.view().data());
}

TEST_CASE("one object serves many targets") {
    Target out;
    for (int i = 0; i < 3; ++i) {
        REQUIRE_FALSE(normalise_target("/a;x//b?q", EncodedSlashes::reject, out));
        CHECK(out.path == "/a;x/b");
        CHECK(out.match_path == "/a/b");
        CHECK(normalise_target("/..", EncodedSlashes::reject, out));
        REQUIRE_FALSE(normalise_target("/plain", EncodedSlashes::reject, out));
        CHECK(out.path == "/plain");
        CHECK(out.query.empty());
    }
}

TEST_CASE("long paths cost no more than their length") {
    std::string slashes(30'000, '/'), dots, down, escapes;
    for (int i = 0; i < 10'000; ++i) {
        dots += "/.";
        down += i % 2 == 0 ? "/a" : "/..";
        escapes += "%25";
    }
    CHECK(normal(slashes).path == "/");
    CHECK(normal(dots).path == "/");
    CHECK(normal(down).path == "/");
    CHECK(normal("/" + escapes).status == 0);
    CHECK(normal("/" + escapes + "2e").status == 400);
}

}  // namespace
}  // namespace signet::http
