#include "policy/requirement.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "policy/decide.hpp"
#include "unit/support/json_text.hpp"

namespace signet::policy {
namespace {

using namespace std::literals;
using test::Json;
using Kind = ClaimRule::Kind;

ClaimRule rule(std::string_view claim, Kind kind, std::initializer_list<std::string_view> values = {}) {
    ClaimRule out{ClaimPath::parse(claim).value(), kind, {}};
    for (const auto v : values) out.values.push_back(JsonConstant::parse(v).value());
    return out;
}

TEST_CASE("values compare by JSON type, arrays hold what they contain") {
    struct Row {
        std::string_view claim, value;
        bool held;
    };
    const Row rows[] = {
        {"\"admin\"", "\"admin\"", true},
        {"\"Admin\"", "\"admin\"", false},
        {"\"admin \"", "\"admin\"", false},
        {"[\"a\",\"admin\"]", "\"admin\"", true},
        {"[]", "\"admin\"", false},
        {"[[\"admin\"]]", "\"admin\"", false},
        {"\"a admin b\"", "\"admin\"", false},
        {"1", "1", true},
        {"1.0", "1", true},
        {"\"1\"", "1", false},
        {"1", "\"1\"", false},
        {"true", "true", true},
        {"\"true\"", "true", false},
        {"1", "true", false},
        {"0", "false", false},
        {"null", "null", true},
        {"null", "\"\"", false},
        {"\"\"", "null", false},
        {"[null]", "null", true},
        {"{\"a\":1}", "{\"a\":1}", true},
        {"{\"a\":1}", "\"a\"", false},
        {"[1,2]", "[1,2]", true},
        {"[[1,2]]", "[1,2]", true},
        {"[1,2]", "[2,1]", false},
    };
    for (const auto& row : rows) {
        const Json payload("{\"c\":" + std::string(row.claim) + "}");
        CAPTURE(row.claim, row.value);
        CHECK(rule("c", Kind::equals, {row.value}).holds(*payload) == row.held);
        CHECK(rule("c", Kind::any_of, {"\"never\"", row.value}).holds(*payload) == row.held);
        CHECK(rule("c", Kind::all_of, {row.value}).holds(*payload) == row.held);
        CHECK(rule("c", Kind::none_of, {"\"never\"", row.value}).holds(*payload) == !row.held);
    }
}

TEST_CASE("all_of needs every value") {
    const Json payload(R"({"roles":["a","b"]})");
    CHECK(rule("roles", Kind::all_of, {"\"a\"", "\"b\""}).holds(*payload));
    CHECK_FALSE(rule("roles", Kind::all_of, {"\"a\"", "\"c\""}).holds(*payload));
}

TEST_CASE("an absent claim passes none_of and `exists: false` only") {
    const Json payload(R"({"null":null})");
    CHECK_FALSE(rule("x", Kind::any_of, {"null"}).holds(*payload));
    CHECK_FALSE(rule("x", Kind::all_of, {"null"}).holds(*payload));
    CHECK_FALSE(rule("x", Kind::all_of).holds(*payload));
    CHECK_FALSE(rule("x", Kind::equals, {"null"}).holds(*payload));
    CHECK_FALSE(rule("x", Kind::exists).holds(*payload));
    CHECK(rule("x", Kind::none_of, {"null"}).holds(*payload));
    CHECK(rule("x", Kind::absent).holds(*payload));
    CHECK(rule("null", Kind::exists).holds(*payload));
    CHECK_FALSE(rule("null", Kind::absent).holds(*payload));
}

TEST_CASE("scopes stand in scope and scp, as words or as an array") {
    struct Row {
        std::string_view payload;
        bool has;
    };
    const Row rows[] = {
        {R"({"scope":"read write"})", true},
        {R"({"scope":"write"})", true},
        {R"({"scope":"read  write"})", true},
        {R"({"scope":"write read"})", true},
        {R"({"scope":["read","write"]})", true},
        {R"({"scp":"write"})", true},
        {R"({"scp":["write"]})", true},
        {R"({"scope":"read","scp":["write"]})", true},
        {R"({"scope":1,"scp":"write"})", true},
        {R"({"scope":"writes"})", false},
        {R"({"scope":"rewrite"})", false},
        {R"({"scope":"Write"})", false},
        {R"({"scope":"read,write"})", false},
        {R"({"scope":"read\twrite"})", false},
        {R"({"scope":["read write"]})", false},
        {R"({"scope":[["write"]]})", false},
        {R"({"scope":{"write":true}})", false},
        {R"({"scope":null})", false},
        {R"({"scope":""})", false},
        {R"({})", false},
        {R"({"scopes":"write"})", false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.payload);
        CHECK(has_scope(*Json(row.payload), "write") == row.has);
    }
}

constexpr WallTime now{std::chrono::hours(500'000)};

std::string seconds_ago(int n) {
    return std::to_string(std::chrono::duration_cast<seconds>(now.time_since_epoch()).count() - n);
}

TEST_CASE("how and when the user signed in") {
    const Authentication fresh{seconds(300), {}};
    const auto lacks = [](const Authentication& wanted, const std::string& payload) {
        return wanted.check(*Json(payload), now, seconds(30)).value_or("");
    };
    CHECK(lacks(fresh, R"({"auth_time":)" + seconds_ago(0) + "}").empty());
    CHECK(lacks(fresh, R"({"auth_time":)" + seconds_ago(330) + "}").empty());
    CHECK_THAT(lacks(fresh, R"({"auth_time":)" + seconds_ago(331) + "}"), Catch::Contains("300 s"));
    CHECK(lacks(fresh, R"({"auth_time":)" + seconds_ago(-30) + "}").empty());
    CHECK_THAT(lacks(fresh, R"({"auth_time":)" + seconds_ago(-31) + "}"), Catch::Contains("auth_time"));
    for (const auto* payload : {"{}", R"({"auth_time":null})", R"({"auth_time":"1"})", R"({"auth_time":-1})",
                                R"({"auth_time":1800000000000})", R"({"iat":1800000000})"}) {
        CAPTURE(payload);
        CHECK_THAT(lacks(fresh, payload), Catch::Contains("auth_time"));
    }
    const Authentication strong{{}, {"phr", "phrh"}};
    CHECK(lacks(strong, R"({"acr":"phrh"})").empty());
    for (const auto* payload : {"{}", R"({"acr":"PHR"})", R"({"acr":["phr"]})", R"({"acr":"phr "})"}) {
        CAPTURE(payload);
        CHECK_THAT(lacks(strong, payload), Catch::Contains("phr phrh"));
    }
    CHECK(strong.challenge() == ", acr_values=\"phr phrh\"");
    CHECK(fresh.challenge() == ", max_age=\"300\"");
    CHECK(Authentication{seconds(5), {"a"}}.challenge() == ", acr_values=\"a\", max_age=\"5\"");
    CHECK(Authentication{}.empty());
}

TEST_CASE("where only the sign-in is lacking, that is what is said") {
    Requirement requirement;
    requirement.alternatives.push_back({{"admin"}, {}, {}});
    requirement.alternatives.push_back({{"pay"}, {}, {seconds(60), {"phr"}}});
    CHECK(requirement.depends_on_time());
    const auto old = requirement.check(*Json(R"({"scope":"pay","acr":"phr","auth_time":1})"), now, {});
    REQUIRE(old);
    CHECK(old->reason == Reason::insufficient_user_authentication);
    CHECK(old->authentication == ", acr_values=\"phr\", max_age=\"60\"");
    CHECK(requirement.check(*Json("{}"), now, {})->reason == Reason::scope_insufficient);
    CHECK_FALSE(requirement.check(*Json(R"({"scope":"admin"})"), now, {}));
    CHECK_FALSE(requirement.check(*Json(R"({"scope":"pay","acr":"phr","auth_time":)" + seconds_ago(5) + "}"),
                                  now, {}));
    requirement.alternatives.pop_back();
    CHECK_FALSE(requirement.depends_on_time());
}

TEST_CASE("one alternative that holds whole is enough; else the refusal names what is nearest") {
    Requirement none;
    CHECK(none.empty());
    CHECK_FALSE(none.check(*Json("{}"), now, {}));

    Requirement requirement;
    requirement.alternatives.push_back(
        {{"admin:read", "admin:write"}, {rule("dep", Kind::equals, {"\"it\""})}});
    requirement.alternatives.push_back({{}, {rule("root", Kind::equals, {"true"})}});
    CHECK_FALSE(requirement.empty());
    CHECK_FALSE(requirement.check(*Json(R"({"scope":"admin:write admin:read","dep":"it"})"), now, {}));
    CHECK_FALSE(requirement.check(*Json(R"({"root":true})"), now, {}));

    const auto no_scope = requirement.check(*Json(R"({"scope":"admin:read","dep":"it"})"), now, {});
    REQUIRE(no_scope);
    CHECK(no_scope->reason == Reason::scope_insufficient);
    CHECK(no_scope->scope == "admin:read admin:write");
    CHECK_FALSE(no_scope->detail.empty());

    const auto wrong_claim =
        requirement.check(*Json(R"({"scope":"admin:write admin:read","dep":"hr"})"), now, {});
    REQUIRE(wrong_claim);
    CHECK(wrong_claim->reason == Reason::claim_not_allowed);
    CHECK_THAT(wrong_claim->detail, Catch::Contains("dep equals \"it\"") && !Catch::Contains("hr"));

    // Scopes come before claims in the order of the checks.
    CHECK(requirement.check(*Json("{}"), now, {})->reason == Reason::scope_insufficient);
}

TEST_CASE("rules describe themselves") {
    CHECK(rule("r.a", Kind::any_of, {"\"x\"", "1"}).describe() == "r.a any_of [\"x\", 1]");
    CHECK(rule("r", Kind::all_of, {"null"}).describe() == "r all_of [null]");
    CHECK(rule("r", Kind::none_of, {"[1]"}).describe() == "r none_of [[1]]");
    CHECK(rule("r", Kind::equals, {"{\"a\":1}"}).describe() == "r equals {\"a\":1}");
    CHECK(rule("r", Kind::exists).describe() == "r exists: true");
    CHECK(rule("r", Kind::absent).describe() == "r exists: false");
}

TEST_CASE("a route asks for its issuers, then its audiences, then its requirement") {
    IssuerRules rules;
    rules.name = "idp";
    rules.audiences = {"api"};
    Route route;
    const Json payload(R"({"aud":["api","other"],"scope":"read"})");
    CHECK_FALSE(decide(*payload, 0, rules, route, now));
    CHECK_FALSE(decide(*Json(R"({"aud":"elsewhere"})"), 0, rules, route,
                       now));  // the issuer's audiences are not the route's business

    route.issuers = {1, 2};
    route.audiences = {"admin"};
    route.require.alternatives.push_back({{"write"}, {}});
    CHECK(decide(*payload, 0, rules, route, now)->reason == Reason::issuer_unknown);
    CHECK(decide(*payload, 2, rules, route, now)->reason == Reason::audience_mismatch);
    route.audiences = {"admin", "other"};
    CHECK(decide(*payload, 1, rules, route, now)->reason == Reason::scope_insufficient);
    route.require = {};
    CHECK_FALSE(decide(*payload, 1, rules, route, now));
}

}  // namespace
}  // namespace signet::policy
