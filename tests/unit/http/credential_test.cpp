#include "http/credential.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "http/cookie.hpp"
#include "unit/http/parsed.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Exact;
using test::Parsed;

HeaderNames names_for(const Extraction& places) {
    HeaderNames names;
    for (std::size_t i = 0; i < places.headers.size(); ++i)
        names.add_token_source(places.headers[i].name, static_cast<std::int8_t>(i));
    return names;
}

// "header:TOKEN", "cookie:TOKEN", "param:TOKEN", "none", and " multiple" behind it.
std::string found(const std::string& lines, std::string_view query = "", const Extraction& places = {}) {
    const auto names = names_for(places);
    const Parsed parsed("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n", names);
    REQUIRE_FALSE(parsed.wrong);
    std::string decoded;
    const Exact exact_query(query);
    const auto search = find_credential(parsed.head, exact_query.view(), places, decoded);
    std::string out = "none";
    if (search.found) {
        const char* const place[] = {"header", "cookie", "param"};
        out = place[static_cast<int>(search.found->place)] + ":"s + std::string(search.found->text.reveal());
    }
    return out + (search.multiple ? " multiple" : "");
}

TEST_CASE("the Authorization header carries a token under Bearer, and none under other schemes") {
    const std::pair<std::string, std::string_view> rows[] = {
        {"", "none"},
        {"Authorization: Bearer a.b.c\r\n", "header:a.b.c"},
        {"AUTHORIZATION: bearer a.b.c\r\n", "header:a.b.c"},
        {"authorization: BEARER a.b.c\r\n", "header:a.b.c"},
        {"Authorization: Bearer    a.b.c  \r\n", "header:a.b.c"},
        {"Authorization: Bearer \ta.b.c\t\r\n", "header:a.b.c"},
        {"Authorization: Bearer\r\n", "header:"},
        {"Authorization: Bearer \r\n", "header:"},
        {"Authorization: bearer\t \r\n", "header:"},
        {"Authorization: Bearer a b\r\n", "header:a b"},
        {"Authorization: Basic dTpw\r\n", "none"},
        {"Authorization: Bearera.b.c\r\n", "none"},
        {"Authorization: XBearer a.b.c\r\n", "none"},
        {"Authorization: DPoP a.b.c\r\n", "none"},
        {"Authorization:\r\n", "none"},
        {"X-Authorization: Bearer a.b.c\r\n", "none"},
        {"Authorization_: Bearer a.b.c\r\n", "none"},
        {"Cookie: access_token=a.b.c\r\n", "none"},
        {"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", "header:a multiple"},
        {"Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", "header:a multiple"},
        {"Authorization: Basic x\r\nAuthorization: Bearer a\r\n", "header:a multiple"},
        {"Authorization: Basic x\r\nAuthorization: Basic y\r\n", "none multiple"},
        {"Authorization: Bearer a\r\nauthorization:\r\n", "header:a multiple"},
    };
    for (const auto& [lines, expected] : rows) {
        CAPTURE(lines);
        CHECK(found(lines) == expected);
    }
    CHECK(found("", "?access_token=a.b.c") == "none");
}

TEST_CASE("other headers, with other prefixes, where they are named") {
    Extraction places;
    places.headers = {{"Authorization", "Bearer "}, {"X-Token", ""}, {"X-Api", "JWT "}};
    const std::pair<std::string, std::string_view> rows[] = {
        {"X-Token: a.b.c\r\n", "header:a.b.c"},
        {"X-Token:\r\n", "header:"},
        {"X-Api: jwt a.b.c\r\n", "header:a.b.c"},
        {"X-Api: a.b.c\r\n", "none"},
        {"X-Token: t\r\nAuthorization: Bearer t\r\n", "header:t"},
        {"X-Token: t\r\nAuthorization: Bearer u\r\n", "header:t multiple"},
        {"X-Token: t\r\nAuthorization: Basic u\r\n", "header:t"},
        {"X-Token: t\r\nX-Token: t\r\n", "header:t multiple"},
        {"X_Token: t\r\n", "none"},
    };
    for (const auto& [lines, expected] : rows) {
        CAPTURE(lines);
        CHECK(found(lines, "", places) == expected);
    }
    Extraction without_authorization;
    without_authorization.headers = {{"X-Token", ""}};
    CHECK(found("Authorization: Bearer a\r\n", "", without_authorization) == "none");
    CHECK(found("Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", "", without_authorization) ==
          "none multiple");
}

TEST_CASE("cookies carry a token under their exact name") {
    Extraction places;
    places.cookies = {"access_token", "alt"};
    const std::pair<std::string, std::string_view> rows[] = {
        {"Cookie: access_token=a.b.c\r\n", "cookie:a.b.c"},
        {"Cookie: x=1; access_token=a.b.c; y=2\r\n", "cookie:a.b.c"},
        {"Cookie: x=1;access_token=a.b.c;y=2\r\n", "cookie:a.b.c"},
        {"Cookie: x=1\r\nCookie: access_token=a.b.c\r\n", "cookie:a.b.c"},
        {"Cookie: access_token=\r\n", "cookie:"},
        {"Cookie: access_token\r\n", "cookie:"},
        {"Cookie: access_token=a=b\r\n", "cookie:a=b"},
        {"Cookie: access_token=\"a.b.c\"\r\n", "cookie:\"a.b.c\""},
        {"Cookie: ACCESS_TOKEN=a.b.c\r\n", "none"},
        {"Cookie: access-token=a.b.c\r\n", "none"},
        {"Cookie: xaccess_token=a; access_tokenx=b\r\n", "none"},
        {"Cookie: x=access_token=a\r\n", "none"},
        {"Cookie: access_token=a; access_token=a\r\n", "cookie:a multiple"},
        {"Cookie: access_token=a; access_token=b\r\n", "cookie:a multiple"},
        {"Cookie: access_token=a\r\nCookie: access_token=a\r\n", "cookie:a multiple"},
        {"Cookie: access_token=a; access_token\r\n", "cookie:a multiple"},
        {"Cookie: access_token=a; alt=a\r\n", "cookie:a"},
        {"Cookie: access_token=a; alt=b\r\n", "cookie:a multiple"},
        {"Authorization: Bearer a\r\nCookie: access_token=a\r\n", "header:a"},
        {"Authorization: Bearer a\r\nCookie: access_token=b\r\n", "header:a multiple"},
        {"Authorization: Basic a\r\nCookie: access_token=b\r\n", "cookie:b"},
        {"Authorization: Bearer\r\nCookie: access_token=b\r\n", "header: multiple"},
        {"Cookie_: access_token=a\r\n", "none"},
        // Readers of cookies trim what stands around '='.
        {"Cookie: access_token =a.b.c\r\n", "cookie:a.b.c"},
        {"Cookie: access_token= a.b.c\r\n", "cookie:a.b.c"},
        {"Cookie: access_token\t=\ta.b.c\r\n", "cookie:a.b.c"},
        {"Cookie: x = 1 ; access_token = a.b.c ; y = 2\r\n", "cookie:a.b.c"},
        {"Cookie: access_token =a; access_token=b\r\n", "cookie:a multiple"},
        {"Cookie: access_token=a; access_token =b\r\n", "cookie:a multiple"},
        {"Cookie: access_token=a\r\nCookie: access_token\t=a\r\n", "cookie:a multiple"},
        {"Cookie: access_token =a; access_token\r\n", "cookie:a multiple"},
        {"Authorization: Bearer a\r\nCookie: access_token =b\r\n", "header:a multiple"},
        {"Authorization: Bearer a\r\nCookie: access_token = a\r\n", "header:a"},
        {"Cookie: access token=a; x access_token=b; access_token x=c; =access_token=d\r\n", "none"},
    };
    for (const auto& [lines, expected] : rows) {
        CAPTURE(lines);
        CHECK(found(lines, "", places) == expected);
    }
}

TEST_CASE("parameters carry a token where they are named, decoded") {
    Extraction places;
    places.params = {"access_token"};
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"?access_token=a.b.c", "param:a.b.c"},
        {"?x=1&access_token=a.b.c&y", "param:a.b.c"},
        {"?access_token=a%2Eb%2ec", "param:a.b.c"},
        {"?access%5Ftoken=a.b.c", "param:a.b.c"},
        {"?%61ccess_token=a", "param:a"},
        {"?access_token=", "param:"},
        {"?access_token", "param:"},
        {"?access_token=a%zz%4", "param:a%zz%4"},
        {"?ACCESS_TOKEN=a", "none"},
        {"?xaccess_token=a&access_tokenx=b", "none"},
        {"?x=access_token=a", "none"},
        {"?access_token=a&access_token=a", "param:a multiple"},
        {"?access_token=a&access%5ftoken=b", "param:a multiple"},
        {"?access_token=%61&access_token=%62", "param:a multiple"},
        {"?", "none"},
        {"?&&", "none"},
    };
    for (const auto& [query, expected] : rows) {
        CAPTURE(query);
        CHECK(found("", query, places) == expected);
    }
    CHECK(found("Authorization: Bearer a\r\n", "?access_token=%61", places) == "header:a");
    CHECK(found("Authorization: Bearer a\r\n", "?access_token=b", places) == "header:a multiple");
    places.cookies = {"t"};
    CHECK(found("Cookie: t=a\r\n", "?access_token=a", places) == "param:a");
    CHECK(found("Cookie: t=a\r\n", "?access_token=b", places) == "cookie:a multiple");
}

TEST_CASE("token parameters leave the query, the rest stays as it came") {
    const std::vector<std::string> names{"access_token", "t"};
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"?access_token=a", ""},
        {"?x=1&access_token=a", "?x=1"},
        {"?access_token=a&x=1", "?x=1"},
        {"?x=1&access_token=a&y=%zz", "?x=1&y=%zz"},
        {"?access%5ftoken=a&x", "?x"},
        {"?t=1&t=2&access_token", ""},
        {"?x=t&y=access_token", "?x=t&y=access_token"},
        {"?tt=1&T=2", "?tt=1&T=2"},
        {"?x==&=", "?x==&="},
        {"", ""},
    };
    for (const auto& [query, expected] : rows) {
        CAPTURE(query);
        CHECK(without_params(Exact(query).view(), names) == expected);
    }
}

TEST_CASE("a removed cookie takes its separator along, the others stay byte for byte") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"t=X", ""},
        {"a=1; t=X", "a=1"},
        {"t=X; a=1", "a=1"},
        {"a=1; t=X; b=2", "a=1; b=2"},
        {"a=1;t=X;b=2", "a=1;b=2"},
        {"a=1;  t=X ;\tb=2", "a=1;\tb=2"},
        {"t=X; t=Y; a=1", "a=1"},
        {"t=X; a=1; t=Y", "a=1"},
        {"a=1; b=\"t=X\"; c", "a=1; b=\"t=X\"; c"},
        {"a=1;; b=2", "a=1;; b=2"},
        {"a=1; t=X;", "a=1;"},
        {"T=1; tt=2; xt=3", "T=1; tt=2; xt=3"},
        {"t", ""},
        {"a = 1 ; t=X", "a = 1 "},
        {"a=1; t =X", "a=1"},
        {"t\t=X; a=1", "a=1"},
        {"a=1; t = X ;b=2", "a=1;b=2"},
        {" t ", ""},
        {"t x=1; x t=2; =t", "t x=1; x t=2; =t"},
        {"", ""},
    };
    for (const auto& [field, expected] : rows) {
        CAPTURE(field);
        CHECK(without_cookies(Exact(field).view(), [](std::string_view name) { return name == "t"; }) ==
              expected);
        CHECK(without_cookies(Exact(field).view(), [](std::string_view) { return false; }) == field);
    }
}

TEST_CASE("cookies are read where they stand") {
    std::string seen;
    for_each_cookie(Exact(" a=1 ;b; =c;d=e=f;\t\"g\"=\"h\"\t;").view(), [&](const CookiePair& c) {
        seen += "[" + std::string(c.name) + "|" + std::string(c.value) + "]";
    });
    CHECK(seen == "[a|1][b|][|c][d|e=f][\"g\"|\"h\"][|]");
}

TEST_CASE("white space around a cookie's name and value belongs to neither") {
    std::string seen;
    for_each_cookie(Exact(" a = 1 ;\tb\t;c =\t; =d= e ;f  g = h  i;=;").view(), [&](const CookiePair& c) {
        seen += "[" + std::string(c.name) + "|" + std::string(c.value) + "]";
    });
    CHECK(seen == "[a|1][b|][c|][|d= e][f  g|h  i][|][|]");
    std::string texts;
    for_each_cookie(Exact(" a = 1 ;\tb\t").view(), [&](const CookiePair& c) { texts += c.text; });
    CHECK(texts == " a = 1 \tb\t");  // what is passed on stays byte for byte
}

TEST_CASE("a field full of cookies costs no more than its length") {
    std::string field;
    while (field.size() < 2'000'000) field += "t=x; ";
    CHECK(without_cookies(field, [](std::string_view name) { return name == "t"; }).empty());
    const std::string semicolons(2'000'000, ';');
    CHECK(without_cookies(semicolons, [](std::string_view name) { return name == "t"; }) == semicolons);
}

}  // namespace
}  // namespace signet::http
