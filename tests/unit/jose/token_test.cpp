#include "jose/token.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "jose/base64url.hpp"
#include "unit/support/exact.hpp"
#include "unit/support/printing.hpp"

namespace signet::jose {
namespace {

using namespace std::literals;
using test::Exact;

std::string compact(std::string_view header, std::string_view payload, std::string_view signature = "sig") {
    return encode_base64url(header) + "." + encode_base64url(payload) + "." + encode_base64url(signature);
}

// What is wrong with the token; empty: nothing.
std::string wrong_with(std::string_view text) {
    const Exact exact(text);
    TokenReader reader;
    const auto token = reader.read(TokenText(exact.view()));
    return token ? std::string{} : token.error().message;
}

const std::string good_header = R"({"alg":"RS256","kid":"k1","typ":"at+jwt"})";
const std::string good_payload = R"({"iss":"https://idp.example","n":1})";

TEST_CASE("a token is taken apart into views of its own bytes") {
    const auto text = compact(good_header, good_payload, "\x01\x02\x03");
    TokenReader reader;
    const auto token = reader.read(TokenText(text));
    REQUIRE(token);
    CHECK(token->algorithm == Algorithm::RS256);
    CHECK(token->algorithm_name == "RS256");
    CHECK(token->kid == "k1"sv);
    CHECK(token->typ == "at+jwt"sv);
    CHECK_FALSE(token->has_crit);
    CHECK(token->payload_json == good_payload);
    CHECK(token->payload_base64 == encode_base64url(good_payload));
    CHECK(token->signing_input == encode_base64url(good_header) + "." + encode_base64url(good_payload));
    CHECK(token->signing_input.data() == text.data());
    CHECK(token->signature == "\x01\x02\x03");
    CHECK(token->payload.find("iss")->string() == "https://idp.example"sv);
    CHECK(token->header.find("alg")->string() == "RS256"sv);
}

TEST_CASE("a token has exactly three parts, none of them empty") {
    const auto part = encode_base64url("{}");
    struct Row {
        const char* what;
        std::string text;
        const char* fault;
    };
    const Row rows[] = {
        {"nothing", "", "not three parts"},
        {"one part", part, "not three parts"},
        {"two parts", part + "." + part, "not three parts"},
        {"two parts and a final dot", part + "." + part + ".", "is empty"},
        {"four parts", part + "." + part + ".c2ln." + part, "more than three"},
        {"five parts, as an encrypted token", part + "." + part + "." + part + "." + part + "." + part,
         "more than three"},
        {"a final dot too many", part + "." + part + ".c2ln.", "more than three"},
        {"a leading dot", "." + part + "." + part + ".c2ln", "more than three"},
        {"an empty header", "." + part + ".c2ln", "is empty"},
        {"an empty payload", part + "..c2ln", "is empty"},
        {"two dots alone", "..", "is empty"},
        {"one dot", ".", "not three parts"},
        {"dots without end", std::string(30'000, '.'), "more than three"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK_THAT(wrong_with(row.text), Catch::Contains(row.fault));
    }
}

TEST_CASE("a character that is not base64url is refused in every part") {
    const auto good = compact(good_header, good_payload, "signature");
    REQUIRE(wrong_with(good).empty());
    const auto first = good.find('.'), second = good.find('.', first + 1);
    struct Part {
        const char* name;
        std::size_t at;
    };
    for (const auto& part : {Part{"header", 4}, Part{"payload", first + 4}, Part{"signature", second + 4}}) {
        for (const auto piece :
             {"="sv, "+"sv, "/"sv, " "sv, "\t"sv, "%2e"sv, "\x80"sv, "\0"sv, "\r\n"sv, "?"sv}) {
            auto replaced = good;
            replaced.replace(part.at, 1, piece);
            CAPTURE(part.name, piece);
            CHECK_THAT(wrong_with(replaced), Catch::Contains(part.name) && Catch::Contains("base64url"));
        }
        const auto end = std::min(good.find('.', part.at), good.size());
        auto padded = good;
        padded.insert(end, "=");
        CHECK_THAT(wrong_with(padded), Catch::Contains("base64url"));
    }
}

TEST_CASE("another spelling of the same signature bytes is refused") {
    const auto good =
        compact(good_header, good_payload, "0123456789");  // ten bytes: two spare bits twice over
    REQUIRE(wrong_with(good).empty());
    int other_spellings = 0;
    for (const char c : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"sv) {
        auto text = good;
        text.back() = c;
        if (text == good || c == 'A' || c == 'Q' || c == 'g' || c == 'w')
            continue;  // other bytes, canonically written
        CAPTURE(c);
        CHECK_THAT(wrong_with(text), Catch::Contains("signature is not canonical"));
        ++other_spellings;
    }
    CHECK(other_spellings == 60);
}

TEST_CASE("header and payload are strict JSON objects") {
    const std::pair<const char*, std::string_view> rows[] = {
        {"an array", "[]"},
        {"a string", "\"x\""},
        {"a number", "1"},
        {"null", "null"},
        {"plain text", "foo"},
        {"no end", "{\"a\":1"},
        {"bytes after the end", "{}x"},
        {"two objects", "{}{}"},
        {"a member twice", R"({"a":1,"a":2})"},
        {"a member twice, once escaped", R"({"a":1,"\u0061":2})"},
        {"a member twice further down", R"({"a":{"b":[{"c":1,"c":1}]}})"},
        {"a byte order mark", "\xEF\xBB\xBF{}"},
        {"bytes that are no UTF-8", "{\"a\":\"\xFF\"}"},
        {"a lone surrogate", R"({"a":"\ud800"})"},
        {"a number beyond a double", R"({"a":1e400})"},
        {"a trailing comma", "{\"a\":1,}"},
        {"a comment", "{}//"},
        {"single quotes", "{'a':1}"},
        {"NUL after the end", "{}\0"sv},
    };
    for (const auto& [what, json] : rows) {
        CAPTURE(what);
        CHECK_THAT(wrong_with(compact(json, good_payload)), Catch::StartsWith("its header is not"));
        CHECK_THAT(wrong_with(compact(good_header, json)), Catch::StartsWith("its payload is not"));
    }
}

TEST_CASE("white space around the JSON is no fault") {
    CHECK(wrong_with(compact(" \t\r\n{\"alg\" : \"RS256\"}\n", " { } ")).empty());
}

TEST_CASE("kid and typ are strings where they are present") {
    for (const auto& name : {"kid"s, "typ"s})
        for (const auto& value : {"1"s, "null"s, "[]"s, "{}"s, "true"s, "[\"k1\"]"s}) {
            CAPTURE(name, value);
            CHECK_THAT(wrong_with(compact("{\"alg\":\"RS256\",\"" + name + "\":" + value + "}", "{}")),
                       Catch::Contains("its " + name + " is not a string"));
        }
    CHECK(wrong_with(compact(R"({"alg":"RS256","kid":"","typ":""})", "{}")).empty());
}

TEST_CASE("an alg that is none of ours is read as none at all") {
    for (const auto& alg : {"\"none\""s, "\"rs256\""s, "\" RS256\""s, "\"RS256\\u0000\""s, "1"s, "[]"s,
                            "null"s, "[\"RS256\"]"s, "{}"s, "\"" + std::string(5000, 'R') + "\""}) {
        const auto text = compact("{\"alg\":" + alg + "}", "{}");
        TokenReader reader;
        const auto token = reader.read(TokenText(text));
        CAPTURE(alg);
        REQUIRE(token);
        CHECK_FALSE(token->algorithm);
    }
    TokenReader reader;
    const auto text = compact("{}", "{}");
    const auto token = reader.read(TokenText(text));
    REQUIRE(token);
    CHECK_FALSE(token->algorithm);
    CHECK(token->algorithm_name.empty());
}

TEST_CASE("crit is seen whatever it holds") {
    for (const auto& crit : {"[]"s, "[\"exp\"]"s, "null"s, "1"s, "\"b64\""s, "false"s}) {
        const auto text = compact("{\"alg\":\"RS256\",\"crit\":" + crit + "}", "{}");
        TokenReader reader;
        const auto token = reader.read(TokenText(text));
        CAPTURE(crit);
        REQUIRE(token);
        CHECK(token->has_crit);
    }
}

TEST_CASE("one reader reads many tokens, long after short and short after broken") {
    TokenReader reader;
    for (const std::size_t size : {0u, 10u, 40'000u, 3u, 9'000u, 1u}) {
        const auto payload = "{\"x\":\"" + std::string(size, 'y') + "\"}";
        const auto text = compact(R"({"alg":"ES256"})", payload, std::string(64, 's'));
        const Exact exact(text);
        const auto token = reader.read(TokenText(exact.view()));
        REQUIRE(token);
        CHECK(token->payload.find("x")->string()->size() == size);
        CHECK(token->signature == std::string(64, 's'));
        CHECK_FALSE(token->kid);
        CHECK_FALSE(reader.read(TokenText("broken")));
    }
}

TEST_CASE("a fault never repeats what stood in the token") {
    for (const auto& text : {compact(R"({"alg":"RS256","kid":7,"secret":"xyzzy"})", "{}"), "xyzzy"s,
                             compact(R"({"xyzzy":1,"xyzzy":2})", "{}"), compact("{}", "[\"xyzzy\"]")}) {
        const auto wrong = wrong_with(text);
        CHECK_FALSE(wrong.empty());
        CHECK_THAT(wrong, !Catch::Contains("xyzzy"));
    }
}

}  // namespace
}  // namespace signet::jose
