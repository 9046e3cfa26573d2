#include "policy/claim_headers.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "unit/support/json_text.hpp"

namespace signet::policy {
namespace {

using namespace std::literals;
using test::Json;

constexpr auto left_out = "(left out)"sv;

std::string written(std::string_view json, Encoding encoding, std::uint32_t expected_left_out = 0) {
    const Json value(json);
    std::uint32_t count = 0;
    const auto text = header_value(*value, encoding, count);
    CAPTURE(json);
    CHECK(count == (text ? expected_left_out : 1));
    return text ? *text : std::string(left_out);
}

TEST_CASE("a claim is written in the encoding asked for") {
    struct Row {
        std::string_view claim, automatic, string, csv, json, base64url;
    };
    const Row rows[] = {
        {R"("plain")", "plain", "plain", "plain", R"("plain")", "cGxhaW4"},
        {R"("")", "", "", "", R"("")", ""},
        {R"("a b")", "a b", "a b", "a b", R"("a b")", "YSBi"},
        {R"("\u00e9")", "é", "é", "é", R"("\u00e9")", "w6k"},
        {"1", "1", "1", "1", "1", "MQ"},
        {"-1.50", "-1.5", "-1.5", "-1.5", "-1.5", "LTEuNQ"},
        {"18446744073709551615", "18446744073709551615", "18446744073709551615", "18446744073709551615",
         "18446744073709551615", "MTg0NDY3NDQwNzM3MDk1NTE2MTU"},
        {"true", "true", "true", "true", "true", "dHJ1ZQ"},
        {R"(["a","b"])", R"(["a","b"])", left_out, "a,b", R"(["a","b"])", "WyJhIiwiYiJd"},
        {R"([ "a" , 1, true ])", R"(["a",1,true])", left_out, "a,1,true", R"(["a",1,true])",
         "WyJhIiwxLHRydWVd"},
        {"[]", "[]", left_out, "", "[]", "W10"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.claim);
        CHECK(written(row.claim, Encoding::automatic) == row.automatic);
        CHECK(written(row.claim, Encoding::string) == row.string);
        CHECK(written(row.claim, Encoding::csv) == row.csv);
        CHECK(written(row.claim, Encoding::json) == row.json);
        CHECK(written(row.claim, Encoding::base64url) == row.base64url);
    }
    CHECK(written(R"({"a":{"b":[1]}})", Encoding::automatic) == R"({"a":{"b":[1]}})");
    CHECK(written(R"({"a":1})", Encoding::string) == left_out);
    CHECK(written("null", Encoding::string) == left_out);
    CHECK(written("null", Encoding::automatic) == left_out);
    CHECK(written("null", Encoding::json) == "null");
}

TEST_CASE("no value with a control character or outer white space is written as it is") {
    for (const auto claim : {R"("a\nb")"sv, R"("a\rb")"sv, R"("a\r\nX-Evil: 1")"sv, R"("\u0000")"sv,
                             R"("a\u0000b")"sv, R"("\t")"sv, R"("a\tb")"sv, R"("\u001b[2J")"sv,
                             R"("\u007f")"sv, R"(" a")"sv, R"("a ")"sv, R"(" ")"sv,
                             // C1, which UTF-8 writes as C2 80 to C2 9F
                             R"("\u0080")"sv, R"("a\u0085b")"sv, R"("\u009b[2J")"sv, R"("a\u009f")"sv,
                             "\"a\xC2\x85\""sv, "\"\xC3\x82\xC2\x80\""sv}) {
        CAPTURE(claim);
        CHECK(written(claim, Encoding::string) == left_out);
        CHECK(written(claim, Encoding::automatic) == left_out);
        const auto json = written(claim, Encoding::json);
        CHECK(json.find_first_of("\r\n\t\x7F"sv) == std::string::npos);
        CHECK(*Json(json) == *Json(claim));
        CHECK(written(claim, Encoding::base64url)
                  .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
              std::string::npos);
    }
}

TEST_CASE("characters that only share bytes with a control pass") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {R"("a\u00a0z")", "a\xC2\xA0z"},           {R"("\u00bf")", "\xC2\xBF"},
        {R"("\u00c0\u00c2")", "\xC3\x80\xC3\x82"}, {R"("\u0142\u0100")", "\xC5\x82\xC4\x80"},
        {R"("\u1085")", "\xE1\x82\x85"},           {R"("\ud83d\ude00")", "\xF0\x9F\x98\x80"}};
    for (const auto& [claim, expected] : rows) {
        CAPTURE(claim);
        CHECK(written(claim, Encoding::string) == expected);
        CHECK(written(claim, Encoding::automatic) == expected);
        CHECK(written(claim, Encoding::csv) == expected);
    }
    CHECK(written(R"(["a","b\u0085c","d"])", Encoding::csv, 1) == "a,d");
}

TEST_CASE("elements that a reader could take for two are left out of a csv and counted") {
    const Json list(R"(["a","b,c","d\"e",null,["f"],{"g":1}," h","i\nj","k"])");
    std::uint32_t count = 0;
    CHECK(header_value(*list, Encoding::csv, count) == "a,k");
    CHECK(count == 7);
    CHECK(header_value(*Json(R"("x,y")"), Encoding::csv, count).value_or("").empty());
    CHECK(count == 8);
}

TEST_CASE("JSON in a header is ASCII whatever the claim holds") {
    const auto text = written(R"({"ключ":["😀","\u0001\u007f"]})", Encoding::json);
    for (const char c : text) CHECK((c >= 0x20 && c < 0x7F));
    CHECK(*Json(text) == *Json(R"({"ключ":["😀","\u0001\u007f"]})"));
}

ClaimHeader header(std::string_view claim, std::string name, bool required = false,
                   Encoding encoding = Encoding::automatic) {
    return {ClaimPath::parse(claim).value(), std::move(name), required, encoding};
}

TEST_CASE("the lines are one for each claim that is there, in the order of the list") {
    const Json payload(R"({"sub":"u1","roles":["a","b"],"bad":"x\ny","n":7})");
    const auto block =
        make_claim_headers({header("sub", "X-Sub"), header("none", "X-None"), header("bad", "X-Bad"),
                            header("roles", "X-Roles", false, Encoding::csv), header("n", "X-N")},
                           *payload);
    REQUIRE(block);
    CHECK(block->lines == "X-Sub: u1\r\nX-Roles: a,b\r\nX-N: 7\r\n");
    CHECK(block->left_out == 1);
    const auto nothing = make_claim_headers({}, *payload);
    REQUIRE(nothing);
    CHECK(nothing->lines.empty());
}

TEST_CASE("a required claim that is missing or cannot be written refuses the token") {
    const Json payload(R"({"sub":"u\r\n1","list":["a","b,c"],"null":null,"c1":"u\u0085"})");
    const auto reason = [&](const ClaimHeader& h) {
        return make_claim_headers({h}, *payload).error().reason;
    };
    CHECK(reason(header("none", "X", true)) == Reason::claim_missing);
    CHECK(reason(header("sub", "X", true)) == Reason::claim_invalid);
    CHECK(reason(header("list", "X", true, Encoding::csv)) == Reason::claim_invalid);
    CHECK(reason(header("null", "X", true)) == Reason::claim_invalid);
    CHECK(reason(header("c1", "X", true)) == Reason::claim_invalid);
    CHECK(make_claim_headers({header("sub", "X", true, Encoding::json)}, *payload));
    CHECK_THAT(make_claim_headers({header("sub", "X", true)}, *payload).error().detail,
               Catch::Contains("sub") && !Catch::Contains("u\r"));
}

}  // namespace
}  // namespace signet::policy
