#include "base/json.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"
#include "unit/support/json_text.hpp"

namespace signet::json {
namespace {

using namespace std::literals;
using test::Exact;
using test::Json;

bool parses(std::string_view text) {
    const Exact exact(text);
    Document document;
    return document.parse(exact.view()).has_value();
}

std::string minified(std::string_view text, bool ascii = false) {
    const Json json(text);
    std::string out;
    json->write(out, ascii);
    return out;
}

TEST_CASE("every kind of value is told apart") {
    const std::pair<std::string_view, Type> rows[] = {
        {"null", Type::null},
        {"true", Type::boolean},
        {"false", Type::boolean},
        {"0", Type::integer},
        {"-1", Type::integer},
        {"9223372036854775807", Type::integer},
        {"-9223372036854775808", Type::integer},
        {"9223372036854775808", Type::unsigned_integer},
        {"18446744073709551615", Type::unsigned_integer},
        {"1.5", Type::number},
        {"1e3", Type::number},
        {"1.0", Type::number},
        {"\"\"", Type::string},
        {"[]", Type::array},
        {"{}", Type::object},
    };
    for (const auto& [text, type] : rows) {
        const Json json(text);
        CAPTURE(text);
        CHECK(json->type() == type);
        CHECK(json->is(type));
        CHECK(json->is_string() == (type == Type::string));
        CHECK(json->is_array() == (type == Type::array));
        CHECK(json->is_object() == (type == Type::object));
        CHECK(json->is_number() ==
              (type == Type::integer || type == Type::unsigned_integer || type == Type::number));
        CHECK(json->string().has_value() == (type == Type::string));
        CHECK(json->boolean().has_value() == (type == Type::boolean));
        CHECK(json->integer().has_value() == (type == Type::integer));
        CHECK(json->number().has_value() == json->is_number());
    }
}

TEST_CASE("a member that comes twice is refused at every depth") {
    for (const auto text :
         {R"({"a":1,"a":1})"sv, R"({"a":1,"b":2,"a":3})"sv, R"([{"a":1,"a":2}])"sv,
          R"({"x":{"y":[1,{"a":1,"b":0,"a":2}]}})"sv, R"({"a":1,"\u0061":2})"sv, R"({"":1,"":2})"sv,
          R"({"\n":1,"\u000a":2})"sv, R"({"é":1,"\u00e9":2})"sv, R"({"😀":1,"\ud83d\ude00":2})"sv,
          R"({"a":{"b":1},"a":{"c":1}})"sv, R"({"a\u0000":1,"a\u0000":1})"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parses(text));
    }
    std::string many = "{";
    for (int i = 0; i < 2000; ++i) many += "\"m" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    CHECK(parses(many + "\"last\":0}"));
    CHECK_FALSE(parses(many + "\"m1000\":0}"));
}

TEST_CASE("the same name in different objects, or in other case, is no duplicate") {
    for (const auto text :
         {R"({"a":{"a":{"a":1}}})"sv, R"([{"a":1},{"a":1}])"sv, R"({"a":1,"A":2,"a ":3,"á":4})"sv,
          R"({"a":{"b":1},"c":{"b":1}})"sv, R"({"a":1,"a\u0000":2})"sv}) {
        CAPTURE(text);
        CHECK(parses(text));
    }
}

TEST_CASE("lone surrogates are refused in strings and names, pairs are not") {
    for (const auto text :
         {R"("\ud800")"sv, R"("\udc00")"sv, R"("\udfff")"sv, R"("\ud800x")"sv, R"("\ud800\u0041")"sv,
          R"("\ud800\ud800")"sv, R"("\ude00\ud83d")"sv, R"("\ud83d\ud83d\ude00")"sv, R"(["a","\ud800"])"sv,
          R"({"\ud800":1})"sv, R"({"a":{"b":["\uDBFF"]}})"sv, R"("\ud83d\u")"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parses(text));
    }
    CHECK(Json(R"("\ud83d\ude00")")->string() == "😀"sv);
    CHECK(Json(R"("\ud7ff\ue000")")->string() ==
          "\xED\x9F\xBF\xEE\x80\x80"sv);  // the neighbours of the surrogates
    CHECK(Json("\"\xED\x9F\xBF\"")->string() == "\xED\x9F\xBF"sv);
}

TEST_CASE("numbers are inside int64, uint64 or double, and written as JSON has them") {
    for (const auto text : {"18446744073709551616"sv,
                            "-9223372036854775809"sv,
                            "1e400"sv,
                            "-1e400"sv,
                            "1e309"sv,
                            "100000000000000000000000000000000"sv,
                            "NaN"sv,
                            "Infinity"sv,
                            "-Infinity"sv,
                            "+1"sv,
                            "01"sv,
                            "-01"sv,
                            ".5"sv,
                            "5."sv,
                            "1.e1"sv,
                            "1e"sv,
                            "1e+"sv,
                            "0x10"sv,
                            "1_000"sv,
                            "-"sv,
                            "--1"sv,
                            "1 2"sv,
                            "1,"sv,
                            "1f"sv,
                            "١"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parses(text));
        CHECK_FALSE(parses("[" + std::string(text) + "]"));
    }
    CHECK(Json("1.7976931348623157e308")->number() == std::numeric_limits<double>::max());
    CHECK(Json("1e-400")->number() == 0.0);
    CHECK(Json("-0")->number() == 0.0);
    CHECK(Json("9007199254740993")->integer() == 9007199254740993);
    CHECK(Json("18446744073709551615")->number() == 18446744073709551615.0);
    CHECK(Json("1e2")->number() == 100.0);
}

TEST_CASE("thirty-two levels are read, thirty-three are not") {
    const auto arrays = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    const auto arrays_around_one = [](std::size_t depth) {
        return std::string(depth, '[') + "1" + std::string(depth, ']');
    };
    const auto objects = [](std::size_t depth) {
        std::string text;
        for (std::size_t i = 1; i < depth; ++i) text += "{\"a\":";
        return text + "{}" + std::string(depth - 1, '}');
    };
    const auto objects_around_one = [](std::size_t depth) {
        std::string text;
        for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
        return text + "1" + std::string(depth, '}');
    };
    CHECK(parses(arrays(32)));
    CHECK(parses(arrays_around_one(32)));
    CHECK(parses(objects(32)));
    CHECK(parses(objects_around_one(32)));
    CHECK_FALSE(parses(arrays(33)));
    CHECK_FALSE(parses(arrays_around_one(33)));
    CHECK_FALSE(parses(objects(33)));
    CHECK_FALSE(parses(objects_around_one(33)));
    CHECK_FALSE(parses(arrays(100'000)));
    CHECK_FALSE(parses(std::string(100'000, '[')));
    // Also by a document that has read something large before.
    Document document;
    REQUIRE(document.parse("[\"" + std::string(100'000, 'x') + "\"]"));
    CHECK(document.parse(arrays(32)));
    CHECK_FALSE(document.parse(arrays(33)));
    REQUIRE(document.parse("[\"" + std::string(300'000, 'x') + "\"]"));
    CHECK_FALSE(document.parse(arrays(33)));
}

TEST_CASE("what is not quite JSON is refused") {
    for (const auto text :
         {""sv,         " "sv,          "\xEF\xBB\xBF{}"sv, "\xFE\xFF"sv,   "{"sv,           "}"sv,
          "[1,]"sv,     "{\"a\":1,}"sv, "[,1]"sv,           "{a:1}"sv,      "{'a':1}"sv,     "{\"a\"}"sv,
          "{\"a\":}"sv, "{1:1}"sv,      "[1 2]"sv,          "{}{}"sv,       "{} x"sv,        "[]]"sv,
          "\"a"sv,      "\"\x01\""sv,   "\"\n\""sv,         "\"\\x41\""sv,  "\"\\u00g0\""sv, "\"\\u12\""sv,
          "tru"sv,      "True"sv,       "nulL"sv,           "undefined"sv,  "// x\n{}"sv,    "/**/{}"sv,
          "{}\0"sv,     "\0{}"sv,       "\f{}"sv,           "\xC2\xA0{}"sv, "[\"a\0b\"]"sv,  "[1}"sv,
          "{]"sv}) {
        CAPTURE(text);
        CHECK_FALSE(parses(text));
    }
}

TEST_CASE("bytes that are no UTF-8 are refused") {
    for (const auto bytes : {"\x80"sv, "\xFF"sv, "\xC0\xAF"sv, "\xC1\x81"sv, "\xE0\x80\xAF"sv,
                             "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xF0\x80\x80\xAF"sv, "\xF4\x90\x80\x80"sv,
                             "\xF8\x88\x80\x80\x80"sv, "\xE2\x82"sv, "\xC3"sv}) {
        CAPTURE(bytes);
        CHECK_FALSE(parses("\"" + std::string(bytes) + "\""));
        CHECK_FALSE(parses("{\"" + std::string(bytes) + "\":1}"));
    }
    CHECK(Json("\"é\xE2\x82\xAC😀\"")->string() == "é\xE2\x82\xAC😀"sv);
}

TEST_CASE("members and elements are found, and nothing where there is none") {
    const Json json(R"({"a":[10,"x",null],"b":{"c":true},"a.b":1,"":2,"z\u0000":3})");
    CHECK(json->size() == 5);
    CHECK(json->find("a")->size() == 3);
    CHECK(json->find("a")->at(1)->string() == "x"sv);
    CHECK(json->find("a")->at(2)->is(Type::null));
    CHECK_FALSE(json->find("a")->at(3));
    CHECK_FALSE(json->find("a")->find("0"));
    CHECK_FALSE(json->find("A"));
    CHECK_FALSE(json->at(0));
    CHECK(json->find("")->integer() == 2);
    CHECK(json->find("z\0"sv)->integer() == 3);
    CHECK_FALSE(json->find("z"));
    CHECK(json->find("a.b")->integer() == 1);
    CHECK_FALSE(json->find("b")->find("c")->find("d"));
    CHECK(json->find("b")->find("c")->boolean() == true);
    CHECK(json->find("b")->find("c")->size() == 0);
}

TEST_CASE("visits go in order and stop when told to") {
    const Json json(R"({"one":1,"two":2,"three":3})");
    std::string seen;
    json->each_member([&](std::string_view name, const Value& v) {
        seen += std::string(name) + "=" + std::to_string(*v.integer()) + ";";
        return name != "two";
    });
    CHECK(seen == "one=1;two=2;");
    int elements = 0;
    Json("[1,2,3]")->each_element([&](const Value&) { return ++elements < 2; });
    CHECK(elements == 2);
    json->each_element([&](const Value&) {
        FAIL_CHECK("an object has no elements");
        return true;
    });
    Json("[1]")->each_member([&](std::string_view, const Value&) {
        FAIL_CHECK("an array has no members");
        return true;
    });
}

TEST_CASE("values compare by type and value") {
    struct Row {
        std::string_view a, b;
        bool equal;
    };
    const Row rows[] = {
        {"1", "1", true},
        {"1", "1.0", true},
        {"1", "\"1\"", false},
        {"1", "true", false},
        {"0", "false", false},
        {"0", "null", false},
        {"null", "null", true},
        {"\"\"", "null", false},
        {"true", "true", true},
        {"true", "false", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"A\"", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"\"a\"", "\"a\\u0000\"", false},
        {"[]", "{}", false},
        {"[1,2]", "[1,2]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":2}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"9223372036854775807", "9223372036854775806", false},
        {"9007199254740993", "9007199254740992", false},
        {"18446744073709551615", "18446744073709551614", false},
        {"18446744073709551615", "-1", false},
        {"9223372036854775808", "-9223372036854775808", false},
        {"1.5", "1.5", true},
        {"1.5", "1", false},
        {"1e2", "100", true},
        {"-0.0", "0", true},
        {"9007199254740993", "9007199254740992.0", false},
        {"9007199254740992", "9007199254740992.0", true},
        {"-9223372036854775808", "-9223372036854775808.0", true},
        {"9223372036854775807", "9223372036854775808.0", false},
        {"9223372036854775808", "9223372036854775808.0", true},
        {"18446744073709551615", "18446744073709551616.0", false},
        {"18446744073709549568", "18446744073709549568.0", true},
        {"9223372036854775808", "-1.0", false},
        {"[[1],{\"x\":[]}]", "[[1.0],{\"x\":[]}]", true},
    };
    for (const auto& row : rows) {
        const Json a(row.a), b(row.b);
        CAPTURE(row.a, row.b);
        CHECK((*a == *b) == row.equal);
        CHECK((*b == *a) == row.equal);
    }
}

TEST_CASE("a value is written anew, minified") {
    CHECK(minified(" { \"b\" : [ 1 , 2.50 , -0.0 , 1e3, true , null ] , \"a\" : { } } ") ==
          R"({"b":[1,2.5,-0,1000,true,null],"a":{}})");
    CHECK(minified("18446744073709551615") == "18446744073709551615");
    CHECK(minified("-9223372036854775808") == "-9223372036854775808");
    CHECK(minified(R"("\/\u0041\u00e9\n\u0000")") == "\"/A\xC3\xA9\\n\\u0000\"");
    CHECK(minified(R"("\u00e9\ud83d\ude00")", true) == R"("\u00e9\ud83d\ude00")");
    CHECK(minified(R"({"é":["é"]})", true) == R"({"\u00e9":["\u00e9"]})");
}

TEST_CASE("what is written parses to an equal value") {
    for (
        const auto text :
        {R"({"a":[1,-1,0.1,1e-7,123456789012345680,1.7976931348623157e308,5e-324],"b":"\"\\\u0001\u007fé😀"})"sv,
         "[[[[]]],{\"\":{\"\":[]}}]"sv, "\"\""sv}) {
        const Json json(text);
        for (const bool ascii : {false, true}) {
            const Json again(minified(text, ascii));
            CAPTURE(text, ascii);
            CHECK(*json == *again);
        }
    }
}

TEST_CASE("a number beyond uint64 is written so that it is still read") {
    for (const auto text : {"18446744073709551616.0"sv, "1.8446744073709552e19"sv, "-1e19"sv, "1e20"sv,
                            "1e22"sv, "123456789e12"sv}) {
        CAPTURE(text);
        const auto written = minified(text);
        CAPTURE(written);
        REQUIRE(parses(written));
        CHECK(*Json(written) == *Json(text));
    }
}

TEST_CASE("a document that refused a text reads the next one") {
    Document document;
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(document.parse("{\"a\":1,\"a\":2}"));
        CHECK_FALSE(document.parse("{"));
        const auto good = document.parse("{\"a\":[1,2]}");
        REQUIRE(good);
        CHECK(good->find("a")->size() == 2);
    }
    auto moved = std::move(document);
    CHECK(moved.parse("[]"));
}

}  // namespace
}  // namespace signet::json
