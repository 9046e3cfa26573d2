#include <catch2/catch.hpp>
#include <string>

#include "unit/gate/house.hpp"

namespace signet::gate {
namespace {

using namespace std::literals;
using namespace signet::test;
using Kind = Decision::Kind;

TEST_CASE("a good token is admitted with its claims") {
    House house;
    const auto text = token(claims(R"("sub":"u1","jti":"j1")"));
    const auto d = house.ask(text);
    REQUIRE(d.kind == Kind::allow);
    CHECK(d.stage == Stage::done);
    CHECK(d.route == 0);
    CHECK(d.issuer == 0);
    CHECK(d.verified_now == jose::Algorithm::ES256);
    CHECK_FALSE(d.remembered);
    CHECK(d.allow->is_verified());
    CHECK_FALSE(d.allow->is_public());
    CHECK(d.allow->claim_lines() == "X-Auth-Subject: u1\r\n");
    CHECK(d.allow->payload() == jose::encode_base64url(claims(R"("sub":"u1","jti":"j1")")));
    REQUIRE(d.token);
    CHECK(d.token->jti() == "j1");
    CHECK(d.token->kid() == "k1");
    CHECK(d.token->text() == text);
}

TEST_CASE("every reason, where it belongs") {
    House house;
    auto& rules = *house.rules;
    rules.max_token_size = 2000;
    rules.issuers[0].max_lifetime = seconds{3600};
    rules.http.extraction.cookies = {"t"};
    auto admin = route("admin", "/admin"), other_issuer = route("b-only", "/b"),
         other_audience = route("aud", "/aud"), role = route("role", "/role");
    admin.require.alternatives.push_back({{"admin"}, {}});
    other_issuer.issuers = {1};
    other_audience.audiences = {"special"};
    policy::ClaimRule rule{policy::ClaimPath::parse("role").value(), policy::ClaimRule::Kind::equals, {}};
    rule.values.push_back(policy::JsonConstant::parse("\"boss\"").value());
    role.require.alternatives.push_back({{}, {rule}});
    auto all = route("all");
    all.hosts = {"app.example"};
    house.set_routes({admin, other_issuer, other_audience, role, all});
    house.index.put(house.index.hash(revocation::Kind::jti, "https://a", "gone"), {}, {});

    const auto iat = R"("iat":1699999999)"s;
    const auto good = token(claims(iat));
    auto forged = good;
    forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
    struct Row {
        Reason reason;
        Stage stage;
        std::string bearer;
        Question question;
    };
    const Row rows[] = {
        {Reason::bad_request, Stage::path, good, {"/%zz"}},
        {Reason::bad_request, Stage::path, good, {"/a/../../b"}},
        {Reason::token_missing, Stage::credential, "", {}},
        {Reason::token_missing, Stage::credential, "", {"/", "GET", "Authorization: Basic x\r\n"}},
        {Reason::multiple_tokens, Stage::credential, good, {"/", "GET", "Authorization: Bearer x\r\n"}},
        {Reason::multiple_tokens, Stage::credential, good, {"/", "GET", "Cookie: t=other\r\n"}},
        {Reason::csrf_rejected, Stage::csrf, "", {"/", "POST", "Cookie: t=" + good + "\r\n"}},
        {Reason::token_too_large, Stage::size, std::string(2001, 'x'), {}},
        {Reason::token_malformed, Stage::parse, std::string(2000, 'x'), {}},
        {Reason::token_malformed, Stage::parse, "a.b", {}},
        {Reason::token_malformed, Stage::parse, "", {"/", "GET", "Authorization: Bearer\r\n"}},
        {Reason::crit_unsupported, Stage::crit, unsigned_token(R"({"alg":"none","crit":["b64"]})", "{}"), {}},
        {Reason::issuer_unknown, Stage::issuer, unsigned_token(R"({"alg":"none"})", "{}"), {}},
        {Reason::issuer_unknown, Stage::issuer, unsigned_token(R"({"alg":"none"})", R"({"iss":1})"), {}},
        {Reason::issuer_unknown, Stage::issuer, token(claims(iat, "https://a/")), {}},
        {Reason::issuer_unknown, Stage::issuer, token(claims(iat, "https://A")), {}},
        {Reason::alg_not_allowed, Stage::algorithm, unsigned_token(R"({"alg":"none","kid":"k1"})"), {}},
        {Reason::alg_not_allowed, Stage::algorithm, unsigned_token(R"({"kid":"k1"})"), {}},
        {Reason::alg_not_allowed, Stage::algorithm, unsigned_token(R"({"alg":"HS256","kid":"k1"})"), {}},
        {Reason::alg_not_allowed, Stage::algorithm, unsigned_token(R"({"alg":"RS256","kid":"k1"})"), {}},
        {Reason::alg_not_allowed, Stage::algorithm, unsigned_token(R"({"alg":"ES384","kid":"k1"})"), {}},
        {Reason::kid_unknown, Stage::key, unsigned_token(R"({"alg":"ES256","kid":"x"})"), {}},
        {Reason::signature_invalid, Stage::signature, unsigned_token(R"({"alg":"ES256","kid":"k1"})"), {}},
        {Reason::signature_invalid, Stage::signature, forged, {}},
        {Reason::typ_mismatch, Stage::type, token(claims(iat), "a:k1", "id_token"), {}},
        {Reason::typ_mismatch, Stage::type, token(claims(iat + R"(,"typ":"ID")")), {}},
        {Reason::claim_invalid, Stage::claims, token(claims(iat + R"(,"sub":1)")), {}},
        {Reason::claim_missing, Stage::claims, token(R"({"iss":"https://a","aud":"api"})"), {}},
        {Reason::expired, Stage::times, token(claims(iat, "https://a", now_s - 31)), {}},
        {Reason::not_yet_valid, Stage::times, token(claims(iat + R"(,"nbf":1700000031)")), {}},
        {Reason::lifetime_too_long, Stage::times, token(claims(R"("iat":1600000000)")), {}},
        {Reason::claim_missing, Stage::claims, token(claims()), {}},  // max_lifetime needs iat
        {Reason::audience_mismatch,
         Stage::audience,
         token(R"({"iss":"https://a","aud":"other","iat":1699999999,"exp":1700000600})"),
         {}},
        {Reason::revoked, Stage::revocation, token(claims(iat + R"(,"jti":"gone")")), {}},
        {Reason::issuer_unknown, Stage::route_rules, good, {"/b/x"}},
        {Reason::audience_mismatch, Stage::route_rules, good, {"/aud"}},
        {Reason::scope_insufficient, Stage::route_rules, good, {"/admin"}},
        {Reason::scope_insufficient, Stage::route_rules, good, {"/%61dmin/./x"}},
        {Reason::claim_not_allowed, Stage::route_rules, good, {"/role"}},
    };
    for (const auto& row : rows) {
        const auto d = house.ask(row.bearer, row.question);
        CAPTURE(word(row.reason), row.bearer, row.question.path, d.refusal.detail);
        CHECK(d.kind == Kind::deny);
        CHECK(d.refusal.reason == row.reason);
        CHECK(d.stage == row.stage);
        CHECK_FALSE(d.allow);
    }
    CHECK(house.verdict(good) == "allow");
    CHECK(house.verdict(token(claims(iat + R"(,"scope":"admin")")), {"/admin"}) == "allow");
    CHECK(house.verdict(token(claims(iat + R"(,"role":"boss")")), {"/role"}) == "allow");
    all.hosts = {"elsewhere.example"};
    House no_route;
    no_route.set_routes({all});
    CHECK(no_route.verdict(good) == "no_route");
}

TEST_CASE("a refusal names the scopes that were needed") {
    House house;
    auto admin = route("admin");
    admin.require.alternatives.push_back({{"x", "y"}, {}});
    house.set_routes({admin});
    CHECK(house.ask(token()).refusal.scope == "x y");
}

TEST_CASE("public routes look for no token, optional ones judge the token that is there") {
    House house;
    auto open = route("open", "/open"), optional = route("optional", "/optional"),
         members = route("members", "/members");
    open.access = policy::Access::open;
    optional.access = members.access = policy::Access::optional;
    members.require.alternatives.push_back({{"member"}, {}});
    house.set_routes({open, optional, members});
    for (const auto& bearer : {""s, token(), "broken"s}) {
        const auto d = house.ask(bearer, {"/open/x"});
        REQUIRE(d.kind == Kind::allow);
        CHECK(d.allow->is_public());
        CHECK(d.allow->claim_lines().empty());
        CHECK_FALSE(d.token);
    }
    const auto anonymous = house.ask("", {"/optional"});
    REQUIRE(anonymous.kind == Kind::allow);
    CHECK_FALSE(anonymous.allow->is_public());
    CHECK_FALSE(anonymous.allow->is_verified());
    CHECK(house.ask(token(), {"/optional"}).allow->is_verified());
    CHECK(house.verdict("broken", {"/optional"}) == "token_malformed");
    CHECK(house.verdict(token(claims("", "https://a", 1)), {"/optional"}) == "expired");
    CHECK(house.verdict("", {"/members"}) == "token_missing");
    CHECK(house.verdict(token(), {"/members"}) == "scope_insufficient");
    CHECK(house.verdict(token(), {"/none"}) == "no_route");
}

TEST_CASE("a preflight needs no token where that is said, and only a preflight") {
    const auto both = "Origin: https://x\r\nAccess-Control-Request-Method: PUT\r\n"s;
    House house;
    CHECK(house.verdict("", {"/", "OPTIONS", both}) == "token_missing");
    house.rules->bypass_cors_preflight = true;
    CHECK(house.verdict("", {"/", "OPTIONS", both}) == "allow");
    CHECK(house.verdict("", {"/", "OPTIONS", "Origin: https://x\r\n"}) == "token_missing");
    CHECK(house.verdict("", {"/", "OPTIONS", "Access-Control-Request-Method: PUT\r\n"}) == "token_missing");
    CHECK(house.verdict("", {"/", "GET", both}) == "token_missing");
    CHECK(
        house.verdict("", {"/", "OPTIONS", "Origin: https://x\r\nAccess_Control_Request_Method: PUT\r\n"}) ==
        "token_missing");
}

TEST_CASE("a cookie's token is good for reading, and for writing from the same origin") {
    House house;
    house.rules->http.extraction.cookies = {"t"};
    const auto cookie = "Cookie: t=" + token() + "\r\n";
    CHECK(house.verdict("", {"/", "GET", cookie}) == "allow");
    CHECK(house.verdict("", {"/", "POST", cookie}) == "csrf_rejected");
    CHECK(house.verdict("", {"/", "POST", cookie + "Sec-Fetch-Site: same-origin\r\n"}) == "allow");
    CHECK(house.verdict("", {"/", "POST", cookie + "Origin: http://app.example:8080\r\n"}) == "allow");
    CHECK(house.verdict("", {"/", "POST", cookie + "Origin: http://evil.example\r\n"}) == "csrf_rejected");
    CHECK(house.verdict(token(), {"/", "POST"}) == "allow");  // a header is no cookie
}

TEST_CASE("routes see the host without case and port") {
    House house;
    auto named = route("named");
    named.hosts = {"app.example"};
    house.set_routes({named});
    CHECK(house.verdict(token()) == "allow");
}

TEST_CASE("two issuers with one kid: each only by its own key") {
    House house;
    CHECK(house.verdict(token(claims("", "https://a"), "a:k1")) == "allow");
    CHECK(house.verdict(token(claims("", "https://b"), "b:k1")) == "allow");
    CHECK(house.verdict(token(claims("", "https://a"), "b:k1")) == "signature_invalid");
    CHECK(house.verdict(token(claims("", "https://b"), "a:k1")) == "signature_invalid");
}

TEST_CASE("without a kid every fitting key is tried, at most eight") {
    House house;
    std::vector<std::string> names;
    for (int i = 0; i < 8; ++i) names.push_back("a:n" + std::to_string(i));
    names.push_back("nameless");
    house.keys[0] = snapshot(names);
    CHECK(house.verdict(token(claims(), "a:n7")) == "allow");
    CHECK(house.verdict(token(claims(), "nameless")) == "signature_invalid");  // the ninth
    CHECK(house.verdict(token(claims(), "a:k1")) ==
          "signature_invalid");  // its kid may be the nameless key's
}

TEST_CASE("keys that are not there yet are waited for while they are fetched, and are then unavailable") {
    House house;
    house.keys[0] = snapshot({});
    CHECK(house.verdict(token()) == "keys_unavailable");
    auto fetching = snapshot({});
    fetching->fetching = true;
    house.keys[0] = fetching;
    house.install();
    CHECK(house.verdict(token()) == "need_keys");
    CHECK(house.verdict(token(), {.wait = KeyWait::failed}) == "keys_unavailable");
    CHECK(house.verdict(token(), {.wait = KeyWait::fetched}) == "keys_unavailable");
    house.keys[0] = snapshot({"a:k1"});
    house.install();
    CHECK(house.verdict(token(), {.wait = KeyWait::fetched}) == "allow");
    // What needs no key is judged without one.
    house.keys[0] = fetching;
    house.install();
    CHECK(house.verdict(unsigned_token(R"({"alg":"none"})")) == "alg_not_allowed");
    CHECK(house.verdict(token(claims("", "https://b"), "b:k1")) == "allow");
}

TEST_CASE("an unknown kid waits for a fetch where the cool-down allows one") {
    const auto text = token(claims(), "a:new");
    House house;
    auto ready = snapshot({"a:k1"});
    ready->refetch_from = steady;
    house.keys[0] = ready;
    const auto d = house.ask(text);
    CHECK(d.kind == Kind::need_keys);
    CHECK(d.issuer == 0);
    CHECK(d.stage == Stage::key);
    CHECK(house.verdict(text, {.wait = KeyWait::fetched}) == "kid_unknown");
    CHECK(house.verdict(text, {.wait = KeyWait::failed}) == "keys_unavailable");
    house.keys[0] = snapshot({"a:k1", "a:new"});
    house.install();
    CHECK(house.verdict(text, {.wait = KeyWait::fetched}) == "allow");
    CHECK(house.verdict(token()) == "allow");
}

TEST_CASE("inside the cool-down an unknown kid is what the last fetch says") {
    const auto text = token(claims(), "a:new");
    House house;
    CHECK(house.verdict(text) == "kid_unknown");
    auto bad = snapshot({"a:k1"});
    bad->last_fetch_good = false;
    house.keys[0] = bad;
    house.install();
    CHECK(house.verdict(text) == "keys_unavailable");
    CHECK(house.verdict(token()) == "allow");  // the old keys serve
    auto fetching = snapshot({"a:k1"});
    fetching->fetching = true;
    house.keys[0] = fetching;
    house.install();
    CHECK(house.verdict(text) == "need_keys");
    auto local = snapshot({"a:k1"});
    local->remote = false;
    local->last_fetch_good = false;
    local->refetch_from = {};
    house.keys[0] = local;
    house.install();
    CHECK(house.verdict(text) == "kid_unknown");
}

TEST_CASE("the order of the checks: the first fault is the one that is told") {
    House house;
    house.set_routes({route("x", "/x")});
    CHECK(house.verdict("a.b", {"/%zz"}) == "bad_request");
    CHECK(house.verdict("a.b", {"/y"}) == "no_route");
    CHECK(house.verdict("a.b", {"/x"}) == "token_malformed");
    CHECK(house.verdict(unsigned_token(R"({"alg":"none","crit":[]})", "{}"), {"/x"}) == "crit_unsupported");
    CHECK(house.verdict(unsigned_token(R"({"alg":"none"})", R"({"iss":"x","exp":1})"), {"/x"}) ==
          "issuer_unknown");
    CHECK(house.verdict(unsigned_token(R"({"alg":"none","kid":"x","typ":"y"})", claims("", "https://a", 1)),
                        {"/x"}) == "alg_not_allowed");
    CHECK(house.verdict(unsigned_token(R"({"alg":"ES256","kid":"x","typ":"y"})", claims("", "https://a", 1)),
                        {"/x"}) == "kid_unknown");
    CHECK(house.verdict(unsigned_token(R"({"alg":"ES256","kid":"k1","typ":"y"})", claims("", "https://a", 1)),
                        {"/x"}) == "signature_invalid");
    CHECK(house.verdict(token(claims("\"sub\":1", "https://a", 1), "a:k1", "y"), {"/x"}) == "typ_mismatch");
    CHECK(house.verdict(token(claims("\"sub\":1", "https://a", 1)), {"/x"}) == "claim_invalid");
    CHECK(house.verdict(token(R"({"iss":"https://a","aud":"no","exp":1})"), {"/x"}) == "expired");
    house.index.put(house.index.hash(revocation::Kind::sub, "", "s"), {}, {});
    CHECK(house.verdict(token(R"({"iss":"https://a","aud":"no","exp":1700000600,"sub":"s"})"), {"/x"}) ==
          "audience_mismatch");
}

}  // namespace
}  // namespace signet::gate
