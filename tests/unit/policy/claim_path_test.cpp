#include "policy/claim_path.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "unit/support/json_text.hpp"

namespace signet::policy {
namespace {

using namespace std::literals;
using test::Json;

const std::string payload = R"({
    "sub": "u", "null": null, "empty": {}, "": "nameless", "a.b": "literal", "a": {"b": "nested", "b.c": "inner dot", "": "x", "d": {"e": 1}},
    "realm_access": {"roles": ["admin", "user"]}, "https://example.com/roles": ["r"], "list": [10, {"x": 20}, [30]],
    "sl/ash": 1, "til~de": 2, "~1": 3, "/lead": 4, "dots..": {"": {"": 5}}, "only": {"nested": {"a.b": 6}}})";

std::string found(std::string_view path) {
    const auto parsed = ClaimPath::parse(path);
    INFO(path);
    REQUIRE(parsed);
    CHECK(parsed->text() == path);
    const Json json(payload);
    const auto value = parsed->find(*json);
    if (!value) return "nothing";
    std::string out;
    value->write(out, false);
    return out;
}

TEST_CASE("a literal name comes first, then the dotted path") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"sub", "\"u\""},
        {"null", "null"},
        {"empty", "{}"},
        {"a.b", "\"literal\""},
        {"a.d.e", "1"},
        {"a.d", "{\"e\":1}"},
        {"https://example.com/roles", "[\"r\"]"},
        {"realm_access.roles", "[\"admin\",\"user\"]"},
        {"realm_access.roles.1", "\"user\""},
        {"list.1.x", "20"},
        {"list.2.0", "30"},
        {"a.", "\"x\""},
        {"none", "nothing"},
        {"sub.x", "nothing"},
        {"SUB", "nothing"},
        {"a.b.c", "nothing"},  // a literal name is looked for whole, or every dot is a step
        {"only.nested.a.b", "nothing"},
        {"list.3", "nothing"},
        {"list.01", "nothing"},
        {"list.-1", "nothing"},
        {"list.+1", "nothing"},
        {"list.x", "nothing"},
        {"list.", "nothing"},
        {"list.18446744073709551616", "nothing"},
        {"null.x", "nothing"},
        {".", "nothing"},
        {"..", "nothing"},
        {"sl/ash", "1"},
        {"til~de", "2"},
        {"dots..", "{\"\":{\"\":5}}"},
    };
    for (const auto& [path, expected] : rows) {
        CAPTURE(path);
        CHECK(found(path) == expected);
    }
}

TEST_CASE("a JSON Pointer goes by its steps and nothing else") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"/sub", "\"u\""},         {"/a/b", "\"nested\""},
        {"/a.b", "\"literal\""},   {"/a/b.c", "\"inner dot\""},
        {"/only/nested/a.b", "6"}, {"/realm_access/roles/0", "\"admin\""},
        {"/list/0", "10"},         {"/list/00", "nothing"},
        {"/list/-", "nothing"},    {"/sl~1ash", "1"},
        {"/til~0de", "2"},         {"/~01", "3"},
        {"/~1lead", "4"},          {"/", "\"nameless\""},
        {"/a/", "\"x\""},          {"//", "nothing"},
        {"/none", "nothing"},      {"/sub/x", "nothing"},
        {"/lead", "nothing"},      {"/https:~1~1example.com~1roles/0", "\"r\""},
    };
    for (const auto& [path, expected] : rows) {
        CAPTURE(path);
        CHECK(found(path) == expected);
    }
}

TEST_CASE("what names no claim is a fault") {
    for (const auto text : {"", "/~", "/~2", "/a/~x", "/~0~"}) {
        CAPTURE(text);
        CHECK_FALSE(ClaimPath::parse(text));
    }
}

TEST_CASE("nothing is found in what is no object") {
    const auto path = ClaimPath::parse("a").value();
    for (const auto text : {"[]", "\"a\"", "1", "null", "[{\"a\":1}]"}) {
        const Json json(text);
        CHECK_FALSE(path.find(*json));
    }
    CHECK(claim_paths({"jti", "a.b"}).size() == 2);
}

}  // namespace
}  // namespace signet::policy
