#include "policy/admit.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "jose/base64url.hpp"
#include "unit/support/json_text.hpp"

namespace signet::policy {
namespace {

using namespace std::literals;
using test::Json;

constexpr std::int64_t now_s = 1'700'000'000;
constexpr WallTime now{milliseconds{now_s * 1000}};

IssuerRules usual() {
    IssuerRules rules;
    rules.name = "idp";
    rules.issuer = "https://idp";
    rules.audiences = {"api", "api2"};
    return rules;
}

result<Admitted, Refusal> admitted(const std::string& payload, const IssuerRules& rules = usual(),
                                   const std::string& header = "{}", WallTime at = now) {
    const auto text = jose::encode_base64url(header) + "." + jose::encode_base64url(payload) + ".c2ln";
    jose::TokenReader reader;
    const auto token = reader.read(TokenText(text));
    INFO(payload);
    REQUIRE(token);
    return admit(*token, rules, at);
}

// The word of the reason, or "admitted".
std::string_view verdict(const result<Admitted, Refusal>& r) {
    return r ? "admitted" : word(r.error().reason);
}

// A good payload with these members besides.
std::string payload(const std::string& more = "", const std::string& exp = std::to_string(now_s + 600)) {
    return R"({"iss":"https://idp","aud":"api","exp":)" + exp + (more.empty() ? "" : "," + more) + "}";
}

TEST_CASE("a good token is admitted with its times") {
    const auto out = admitted(payload(R"("nbf":1699999000.25,"iat":1699999999)"));
    REQUIRE(out);
    CHECK(out->times.expires == now + seconds{600});
    CHECK(out->times.not_before == WallTime{milliseconds{1'699'999'000'250}});
    CHECK(out->times.issued == now - seconds{1});
    CHECK(out->audience_matches);
}

TEST_CASE("RFC 9068 section 3's access token is admitted while it lasts") {
    const auto header = R"({"typ":"at+JWT","alg":"RS256","kid":"RjEwOwOA"})";
    const auto claims =
        R"({"iss":"https://authorization-server.example.com/","sub":"5ba552d67","aud":"https://rs.example.com/",)"
        R"("exp":1639528912,"iat":1618354090,"jti":"dbe39bf3a3ba4238a513f51d6e1691c4","client_id":"s6BhdRkqt3",)"
        R"("scope":"openid profile reademail"})";
    auto rules = usual();
    rules.issuer = "https://authorization-server.example.com/";
    rules.audiences = {"https://rs.example.com/"};
    rules.token_types = {"at+jwt"};
    const auto in_time = admitted(claims, rules, header, WallTime{seconds{1'639'528'911}});
    REQUIRE(in_time);
    CHECK(in_time->audience_matches);
    CHECK(verdict(admitted(claims, rules, header, WallTime{seconds{1'639'528'943}})) == "expired");
    CHECK(verdict(admitted(claims, rules, R"({"typ":"JWT"})", WallTime{seconds{1'639'528'911}})) ==
          "typ_mismatch");
}

TEST_CASE("each time has its bound, with the clock skew and without") {
    struct Row {
        const char* claim;
        double offset;  // seconds from now
        int skew;
        std::string_view verdict;
    };
    const Row rows[] = {
        {"exp", -31, 30, "expired"},      {"exp", -30, 30, "expired"},
        {"exp", -29.5, 30, "admitted"},   {"exp", -28, 30, "admitted"},
        {"exp", 0, 0, "expired"},         {"exp", -1, 0, "expired"},
        {"exp", 0.5, 0, "admitted"},      {"exp", 60.5, 30, "admitted"},
        {"nbf", 31, 30, "not_yet_valid"}, {"nbf", 30.5, 30, "not_yet_valid"},
        {"nbf", 30, 30, "admitted"},      {"nbf", -9e8, 30, "admitted"},
        {"nbf", 0, 0, "admitted"},        {"nbf", 0.5, 0, "not_yet_valid"},
        {"iat", 31, 30, "not_yet_valid"}, {"iat", 30, 30, "admitted"},
        {"iat", 0, 0, "admitted"},        {"iat", 1, 0, "not_yet_valid"},
        {"iat", -9e8, 0, "admitted"},
    };
    for (const auto& row : rows) {
        auto rules = usual();
        rules.clock_skew = seconds{row.skew};
        char number[64];
        std::snprintf(number, sizeof number, "%.1f", static_cast<double>(now_s) + row.offset);
        const bool is_exp = row.claim == "exp"sv;
        const auto text =
            is_exp ? payload("", number) : payload("\"" + std::string(row.claim) + "\":" + number);
        CAPTURE(row.claim, row.offset, row.skew);
        CHECK(verdict(admitted(text, rules)) == row.verdict);
    }
}

TEST_CASE("the same bounds hold when times are looked at again") {
    Times times;
    times.expires = now;
    times.not_before = now;
    times.issued = now;
    const auto reason = [&](std::int64_t offset_ms) {
        const auto wrong = check_times(times, seconds{30}, now + milliseconds{offset_ms});
        return wrong ? word(wrong->reason) : "good"sv;
    };
    CHECK(reason(30'000) == "expired");
    CHECK(reason(29'999) == "good");
    CHECK(reason(-30'000) == "good");
    CHECK(reason(-30'001) == "not_yet_valid");
    CHECK_FALSE(check_times({}, seconds{0}, now));
}

TEST_CASE("a date is a number from 0 to the end of the year 9999, or invalid, never absent") {
    for (const std::string name : {"exp", "nbf", "iat"}) {
        for (const std::string value :
             {"\"123\"", "\"1700000600\"", "true", "false", "null", "[]", "{}", "[1700000600]", "-1", "-0.5",
              "-1e300", "253402300800", "253402300799.5", "9223372036854775807", "9223372036854775808",
              "1e300"}) {
            auto rules = usual();
            rules.required_claims.clear();
            const auto text = R"({"iss":"https://idp","aud":"api",")" + name + "\":" + value + "}";
            CAPTURE(name, value);
            CHECK(verdict(admitted(text, rules)) == "claim_invalid");
        }
    }
    CHECK(verdict(admitted(payload("", "253402300799"))) == "admitted");
    CHECK(verdict(admitted(payload("", "1.7000006e9"))) == "admitted");
    CHECK(verdict(admitted(payload("\"nbf\":0,\"iat\":0"))) == "admitted");
    CHECK(verdict(admitted(payload("", "0"))) == "expired");
}

TEST_CASE("claims of a wrong type are invalid, not absent") {
    for (const std::string name : {"iss", "sub", "jti", "sid", "client_id", "azp"})
        for (const std::string value : {"1", "null", "true", "[]", "[\"x\"]", "{}"}) {
            CAPTURE(name, value);
            CHECK(verdict(admitted(R"({"aud":"api","exp":1700000600,")" + name + "\":" + value + "}")) ==
                  "claim_invalid");
        }
    for (const std::string value :
         {"1", "null", "true", "{}", "[1]", "[null]", "[\"api\",1]", "[[\"api\"]]", "{\"api\":1}"}) {
        CAPTURE(value);
        CHECK(verdict(admitted(R"({"exp":1700000600,"aud":)" + value + "}")) == "claim_invalid");
    }
    CHECK(verdict(admitted(payload(R"("sub":"","jti":"x","sid":"y","client_id":"c","azp":"a")"))) ==
          "admitted");
}

TEST_CASE("required claims must be there, whatever they hold") {
    auto rules = usual();
    CHECK(verdict(admitted(R"({"aud":"api"})", rules)) == "claim_missing");
    rules.required_claims = claim_paths({"exp", "tenant", "realm.name"});
    CHECK(verdict(admitted(payload(), rules)) == "claim_missing");
    CHECK(verdict(admitted(payload(R"("tenant":"t")"), rules)) == "claim_missing");
    CHECK(verdict(admitted(payload(R"("tenant":null,"realm":{"name":""})"), rules)) == "admitted");
    rules.required_claims.clear();
    CHECK(verdict(admitted(R"({"aud":"api"})", rules)) == "admitted");
}

TEST_CASE("typ is one of those accepted, without case and without application/") {
    const std::pair<std::string, std::string_view> rows[] = {
        {"{}", "admitted"},
        {R"({"typ":"JWT"})", "admitted"},
        {R"({"typ":"jwt"})", "admitted"},
        {R"({"typ":"at+jwt"})", "admitted"},
        {R"({"typ":"AT+JWT"})", "admitted"},
        {R"({"typ":"application/at+jwt"})", "admitted"},
        {R"({"typ":"APPLICATION/jwt"})", "admitted"},
        {R"({"typ":""})", "typ_mismatch"},
        {R"({"typ":"JWS"})", "typ_mismatch"},
        {R"({"typ":"logout+jwt"})", "typ_mismatch"},
        {R"({"typ":"secevent+jwt"})", "typ_mismatch"},
        {R"({"typ":"dpop+jwt"})", "typ_mismatch"},
        {R"({"typ":" JWT"})", "typ_mismatch"},
        {R"({"typ":"application/"})", "typ_mismatch"},
        {R"({"typ":"application/application/jwt"})", "typ_mismatch"},
        {R"({"typ":"JWT\u0000"})", "typ_mismatch"},
    };
    for (const auto& [header, expected] : rows) {
        CAPTURE(header);
        CHECK(verdict(admitted(payload(), usual(), header)) == expected);
    }
    auto strict = usual();
    strict.token_types = {"at+jwt"};
    CHECK(verdict(admitted(payload(), strict, "{}")) == "typ_mismatch");  // an absent typ counts as JWT
    CHECK(verdict(admitted(payload(), strict, R"({"typ":"at+jwt"})")) == "admitted");
}

TEST_CASE("ID, refresh, offline and logout tokens are no access tokens, unless accepted") {
    auto accepting = usual();
    accepting.reject_id_tokens = false;
    for (const std::string mark :
         {R"("typ":"ID")", R"("typ":"Refresh")", R"("typ":"Offline")", R"("typ":"Logout")",
          R"("token_use":"id")", R"("events":{})", R"("events":null)", R"("events":[])"}) {
        CAPTURE(mark);
        CHECK(verdict(admitted(payload(mark))) == "typ_mismatch");
        CHECK(verdict(admitted(payload(mark), accepting)) == "admitted");
    }
    for (const std::string mark :
         {R"("typ":"Bearer")", R"("typ":"id")", R"("token_use":"access")", R"("nonce":"n")"}) {
        CAPTURE(mark);
        CHECK(verdict(admitted(payload(mark))) == "admitted");
    }
    CHECK(verdict(admitted(payload(R"("typ":1)"))) == "claim_invalid");
    CHECK(verdict(admitted(payload(R"("typ":["ID"])"))) == "claim_invalid");
}

TEST_CASE("a lifetime is bounded where a bound is set, and then needs exp and iat") {
    auto rules = usual();
    rules.max_lifetime = seconds{3600};
    CHECK(verdict(admitted(payload("\"iat\":1699997000"), rules)) == "admitted");
    CHECK(verdict(admitted(payload("\"iat\":1699996999.999"), rules)) == "lifetime_too_long");
    CHECK(verdict(admitted(payload(), rules)) == "claim_missing");
    CHECK(verdict(admitted(payload("\"iat\":0"), usual())) == "admitted");
    rules.required_claims.clear();
    for (const auto* endless : {R"({"aud":"api"})", R"({"aud":"api","iat":1})"})
        CHECK(verdict(admitted(endless, rules)) == "claim_missing");
}

TEST_CASE("an audience is found byte for byte, in a string or an array") {
    const std::pair<std::string_view, bool> rows[] = {
        {R"({"aud":"api"})", true},
        {R"({"aud":["x","api2"]})", true},
        {R"({"aud":[]})", false},
        {R"({"aud":""})", false},
        {R"({"aud":"ap"})", false},
        {R"({"aud":"api/"})", false},
        {R"({"aud":"API"})", false},
        {R"({"aud":"api\u0000"})", false},
        {R"({"aud":"x api"})", false},
        {R"({"aud":["api3","ap"]})", false},
        {R"({})", false},
        {R"({"aud":["api\u0000x"]})", false},
    };
    for (const auto& [text, matches] : rows) {
        CAPTURE(text);
        CHECK(audience_matches(*Json(text), claim_paths({"aud"}), {"api", "api2"}) == matches);
    }
    CHECK_FALSE(audience_matches(*Json(R"({"aud":"api"})"), claim_paths({"aud"}), {}));
}

TEST_CASE("of the audience claims the first that is present decides") {
    const auto names = claim_paths({"client_id", "aud"});
    CHECK(audience_matches(*Json(R"({"client_id":"api","aud":"x"})"), names, {"api"}));
    CHECK_FALSE(audience_matches(*Json(R"({"client_id":"x","aud":"api"})"), names, {"api"}));
    CHECK(audience_matches(*Json(R"({"aud":"api"})"), names, {"api"}));
    CHECK_FALSE(audience_matches(*Json(R"({"client_id":null,"aud":"api"})"), names, {"api"}));
    CHECK_FALSE(audience_matches(*Json(R"({"client_id":{"api":1},"aud":"api"})"), names, {"api"}));
}

TEST_CASE("another audience is admitted here and said, any audience matches where that is said aloud") {
    auto rules = usual();
    const auto other = admitted(R"({"exp":1700000600,"aud":"other"})", rules);
    REQUIRE(other);
    CHECK_FALSE(other->audience_matches);
    rules.any_audience = true;
    CHECK(admitted(R"({"exp":1700000600})", rules)->audience_matches);
}

TEST_CASE("the issuer's require refuses as claim_invalid") {
    auto rules = usual();
    rules.require.alternatives.push_back({{"api"}, {}});
    CHECK(verdict(admitted(payload(R"("scope":"api")"), rules)) == "admitted");
    CHECK(verdict(admitted(payload(), rules)) == "claim_invalid");
}

TEST_CASE("the order of the checks is the contract's") {
    auto rules = usual();
    rules.required_claims = claim_paths({"tenant"});
    rules.require.alternatives.push_back({{"api"}, {}});
    rules.max_lifetime = seconds{1};
    std::string text = R"("sub":1,"iat":0)";
    CHECK(verdict(admitted(payload(text, "1"), rules, R"({"typ":"x"})")) == "typ_mismatch");
    CHECK(verdict(admitted(payload(text, "1"), rules)) == "claim_invalid");  // sub
    text = R"("iat":0)";
    CHECK(verdict(admitted(payload(text, "10"), rules)) == "claim_missing");
    text += R"(,"tenant":1)";
    CHECK(verdict(admitted(payload(text, "10"), rules)) == "claim_invalid");  // require
    text += R"(,"scope":"api")";
    CHECK(verdict(admitted(payload(text, "10"), rules)) == "expired");
    CHECK(verdict(admitted(payload(text), rules)) == "lifetime_too_long");
}

}  // namespace
}  // namespace signet::policy
