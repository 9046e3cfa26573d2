#include "base/json_writer.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"
#include "unit/support/json_text.hpp"

namespace signet::json {
namespace {

using namespace std::literals;
using test::Exact;
using test::Json;

std::string quoted(std::string_view text, bool ascii = false) {
    const Exact exact(text);
    std::string out;
    write_string(out, exact.view(), ascii);
    return out;
}

TEST_CASE("strings are escaped where JSON asks for it, and DEL besides") {
    struct Row {
        std::string_view text, utf8, ascii;
    };
    const Row rows[] = {
        {"", R"("")", R"("")"},
        {"plain /'<>&", R"("plain /'<>&")", R"("plain /'<>&")"},
        {"\"\\\n\r\t", R"("\"\\\n\r\t")", R"("\"\\\n\r\t")"},
        {"\0\x01\x08\x0C\x1B\x1F\x7F"sv, R"("\u0000\u0001\u0008\u000c\u001b\u001f\u007f")",
         R"("\u0000\u0001\u0008\u000c\u001b\u001f\u007f")"},
        {"é", "\"é\"", R"("\u00e9")"},
        {"\xE2\x82\xAC", "\"\xE2\x82\xAC\"", R"("\u20ac")"},
        {"😀", "\"😀\"", R"("\ud83d\ude00")"},
        {"\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\"", R"("\udbff\udfff")"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.utf8);
        CHECK(quoted(row.text) == row.utf8);
        CHECK(quoted(row.text, true) == row.ascii);
        CHECK(Json(quoted(row.text))->string() == row.text);
        CHECK(Json(quoted(row.text, true))->string() == row.text);
    }
}

TEST_CASE("bytes that are no UTF-8 become the replacement character, one each") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"\x80", R"("\ufffd")"},
        {"a\xFFz", R"("a\ufffdz")"},
        {"\xC3", R"("\ufffd")"},
        {"\xC3(", R"("\ufffd(")"},
        {"\xE2\x82", R"("\ufffd\ufffd")"},
        {"\xED\xA0\x80", R"("\ufffd\ufffd\ufffd")"},
        {"\xC0\xAF", R"("\ufffd\ufffd")"},
        {"\xE0\x80\xAF", R"("\ufffd\ufffd\ufffd")"},
        {"\xF4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
        {"\xF0\x9F\x98", R"("\ufffd\ufffd\ufffd")"},
        {"é\x80é", "\"é\\ufffdé\""},
    };
    for (const auto& [text, expected] : rows) {
        CAPTURE(expected);
        CHECK(quoted(text) == expected);
    }
}

TEST_CASE("every two bytes give JSON that parses") {
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; b += (a >= 0xC0 ? 1 : 17)) {
            const char bytes[] = {static_cast<char>(a), static_cast<char>(b)};
            for (const bool ascii : {false, true}) {
                Document document;
                const auto text = quoted({bytes, 2}, ascii);
                if (!document.parse(text)) {
                    CAPTURE(a, b, text);
                    FAIL_CHECK("not JSON");
                }
            }
        }
    SUCCEED();
}

TEST_CASE("objects and arrays get their commas from the writer") {
    std::string out;
    Writer w(out);
    w.object();
    w.member("s", "text")
        .member("n", 1)
        .member("b", true)
        .member("d", 1.5)
        .member("none", std::optional<int>{});
    w.member("some", std::optional<int>{7});
    w.key("empty").array().end_array();
    w.key("list")
        .array()
        .value(1)
        .value("two")
        .null()
        .object()
        .end_object()
        .array()
        .value(false)
        .end_array()
        .end_array();
    w.key("o").object().member("x", std::string("y")).end_object();
    w.key("raw").raw("[1,2]");
    w.member("last", std::uint64_t{18446744073709551615U});
    w.end_object();
    CHECK(
        out ==
        R"({"s":"text","n":1,"b":true,"d":1.5,"none":null,"some":7,"empty":[],"list":[1,"two",null,{},[false]],)"
        R"("o":{"x":"y"},"raw":[1,2],"last":18446744073709551615})");
    CHECK(Json(out)->size() == 11);
}

TEST_CASE("a writer appends, and knows no other number than JSON's") {
    std::string out = "data: ";
    Writer w(out, true);
    w.array()
        .value(std::nan(""))
        .value(std::numeric_limits<double>::infinity())
        .value(-0.5)
        .value(1e300)
        .value("é")
        .end_array();
    CHECK(out == R"(data: [null,null,-0.5,1e+300,"\u00e9"])");
}

TEST_CASE("names are escaped as strings are") {
    std::string out;
    Writer w(out);
    w.object().member("a\"\n", 1).end_object();
    CHECK(out == "{\"a\\\"\\n\":1}");
}

}  // namespace
}  // namespace signet::json
