// Tokens that the gate remembers: judged anew by whatever can change.
#include <catch2/catch.hpp>
#include <string>

#include "unit/gate/house.hpp"

namespace signet::gate {
namespace {

using namespace std::literals;
using namespace signet::test;
using Kind = revocation::Kind;

TEST_CASE(
    "a verified token is remembered, and admitted the same way without its signature being checked again") {
    House house;
    const auto text = token(claims(R"("sub":"u")"));
    const auto first = house.ask(text);
    CHECK_FALSE(first.remembered);
    CHECK(first.verified_now);
    const auto second = house.ask(text);
    CHECK(second.remembered);
    CHECK_FALSE(second.verified_now);
    REQUIRE(second.allow);
    CHECK(second.allow->claim_lines() == "X-Auth-Subject: u\r\n");
    CHECK(second.issuer == 0);
    CHECK(house.gate.cache().size() == 1);
}

TEST_CASE("refused tokens are not remembered") {
    House house;
    for (const auto& text : {token(claims("\"sub\":1")), token(claims("", "https://a", 1)),
                             unsigned_token(R"({"alg":"ES256","kid":"k1"})"), token(claims(), "b:k1")})
        for (int i = 0; i < 2; ++i) CHECK_FALSE(house.remembers(text));
    CHECK(house.gate.cache().size() == 0);
    CHECK(house.gate.cache().bytes() == 0);
}

TEST_CASE("a remembered token expires, becomes invalid, at its bound") {
    House house;
    const auto text = token(claims(R"("nbf":1700000000,"iat":1700000000)"));
    REQUIRE(house.verdict(text) == "allow");
    CHECK(house.verdict(text, {.later = 629}) == "allow");
    CHECK(house.verdict(text, {.later = -30}) == "allow");
    CHECK(house.remembers(text));
    CHECK(house.verdict(text, {.later = -31}) == "not_yet_valid");
    REQUIRE(house.verdict(text) == "allow");
    CHECK(house.verdict(text, {.later = 630}) == "expired");
    CHECK(house.gate.cache().size() == 0);  // it makes room
}

TEST_CASE("one changed character makes it another token") {
    House house;
    const auto text = token(claims(R"("sub":"u")"));
    REQUIRE(house.verdict(text) == "allow");
    REQUIRE(house.remembers(text));
    for (std::size_t at = 0; at < text.size(); at += 7) {
        auto other = text;
        other[at] = other[at] == 'A' ? 'B' : 'A';
        if (other == text) continue;
        const auto d = house.ask(other);
        CAPTURE(at);
        CHECK_FALSE(d.remembered);
        CHECK(d.kind == Decision::Kind::deny);
    }
    CHECK(house.remembers(text));
}

TEST_CASE("the tail alone does not name a token") {
    // The cache finds by a hash of the tail; everything in front of it is compared.
    House house;
    const auto text = token(claims(R"("sub":"u")"));
    REQUIRE(house.verdict(text) == "allow");
    const auto dot = text.find('.');
    auto other = text.substr(0, dot + 1) + jose::encode_base64url(claims(R"("sub":"x")")) +
                 text.substr(text.rfind('.'));
    REQUIRE(other.size() == text.size());
    CHECK(house.verdict(other) == "signature_invalid");
    CHECK(house.remembers(text));
}

TEST_CASE(
    "a remembered token is revoked on the very next request, by every claim, with the issuer and without") {
    struct Row {
        Kind kind;
        const char* value;
    };
    const auto payload = claims(
        R"("sub":"s","jti":"j","uti":"u","sid":"i","client_id":"c1","azp":"c2","cid":"c3","appid":"c4")");
    for (const auto& row : {Row{Kind::sub, "s"},
                            {Kind::jti, "j"},
                            {Kind::jti, "u"},
                            {Kind::sid, "i"},
                            {Kind::client, "c1"},
                            {Kind::client, "c2"},
                            {Kind::client, "c3"},
                            {Kind::client, "c4"},
                            {Kind::kid, "k1"},
                            {Kind::issuer, ""}}) {
        for (const std::string issuer : {"", "https://a", "https://b"}) {
            if (row.kind == Kind::issuer && issuer.empty()) continue;
            House house;
            REQUIRE(house.verdict(token(payload)) == "allow");
            REQUIRE(house.remembers(token(payload)) == false);  // ECDSA: signed anew each time
            const auto text = token(payload);
            REQUIRE(house.verdict(text) == "allow");
            house.index.put(house.index.hash(row.kind, issuer, row.value), {}, {});
            CAPTURE(word(row.kind), row.value, issuer);
            const auto d = house.ask(text);
            CHECK(d.remembered);
            CHECK((d.kind == Decision::Kind::deny) == (issuer != "https://b"));
            if (d.kind == Decision::Kind::deny) CHECK(d.refusal.reason == Reason::revoked);
            // Another signature over the same claims does not escape it.
            CHECK(house.verdict(token(payload)) == (issuer != "https://b" ? "revoked" : "allow"));
        }
    }
}

TEST_CASE("a revocation of what stands in another claim, or of another value, hits nothing") {
    House house;
    const auto text = token(claims(R"("sub":"s","jti":"j")"));
    REQUIRE(house.verdict(text) == "allow");
    for (const auto& [kind, value] : {std::pair{Kind::jti, "s"},
                                      {Kind::sub, "j"},
                                      {Kind::sid, "j"},
                                      {Kind::jti, "J"},
                                      {Kind::jti, ""},
                                      {Kind::kid, "k2"},
                                      {Kind::issuer, ""}})
        house.index.put(house.index.hash(kind, "", value), {}, {});
    CHECK(house.verdict(text) == "allow");
}

TEST_CASE("issued_before lets later tokens live and ends those without iat") {
    House house;
    house.index.put(house.index.hash(Kind::sub, "https://a", "s"), wall - seconds{10}, {});
    CHECK(house.verdict(token(claims(R"("sub":"s","iat":1699999990)"))) == "revoked");
    CHECK(house.verdict(token(claims(R"("sub":"s","iat":1699999991)"))) == "allow");
    CHECK(house.verdict(token(claims(R"("sub":"s")"))) == "revoked");
}

TEST_CASE("the key that verified is what a kid revokes, whatever the token calls it") {
    House house;
    house.keys[0] = snapshot({"nameless"});
    house.index.put(house.index.hash(Kind::kid, "", "k9"), {}, {});
    CHECK(house.verdict(token(claims(), "nameless")) == "allow");
    House named;
    named.index.put(named.index.hash(Kind::kid, "", "k1"), {}, {});
    // A token without kid, verified by a key that has one.
    const auto unnamed = jose::SigningKey::from_jwk([] {
        auto jwk = key_named("a:k1").private_jwk();
        const auto at = jwk.find(",\"kid\":\"k1\"");
        REQUIRE(at != std::string::npos);
        return jwk.erase(at, 11);
    }());
    REQUIRE(unnamed);
    CHECK(named.verdict(unnamed->sign(claims()).value()) == "revoked");
}

TEST_CASE("a token remembered on one route is judged anew on another") {
    House house;
    auto plain = route("plain", "/plain"), admin = route("admin", "/admin"), other = route("other", "/other"),
         special = route("special", "/special");
    admin.require.alternatives.push_back({{"admin"}, {}});
    other.issuers = {1};
    special.audiences = {"special"};
    house.set_routes({plain, admin, other, special});
    const auto text = token(claims(R"("scope":"user")"));
    for (int i = 0; i < 2; ++i) {
        CHECK(house.verdict(text, {"/plain"}) == "allow");
        CHECK(house.verdict(text, {"/admin"}) == "scope_insufficient");
        CHECK(house.verdict(text, {"/other"}) == "issuer_unknown");
        CHECK(house.verdict(text, {"/special"}) == "audience_mismatch");
        CHECK(house.remembers(text, {"/admin"}));
    }
    // The route's audiences stand in the place of the issuer's, first asked or remembered.
    const auto for_special = token(R"({"iss":"https://a","aud":"special","exp":1700000600})");
    for (int i = 0; i < 2; ++i) {
        CHECK(house.verdict(for_special, {"/special"}) == "allow");
        CHECK(house.verdict(for_special, {"/plain"}) == "audience_mismatch");
    }
}

TEST_CASE("a new generation forgets all if a key set or the rules changed, and nothing otherwise") {
    House house;
    const auto text = token();
    REQUIRE(house.verdict(text) == "allow");
    REQUIRE(house.remembers(text));

    auto same_keys = std::make_shared<keys::KeySnapshot>(*house.keys[0]);
    same_keys->fetches = 7;
    same_keys->last_fetch_good = false;
    house.keys[0] = same_keys;
    house.install();
    CHECK(house.remembers(text));

    house.keys[1] = snapshot({"b:k1", "b:k2"});  // also another issuer's
    house.install();
    CHECK_FALSE(house.remembers(text));

    house.keys[0] = snapshot({"a:other"});
    house.install();
    CHECK(house.verdict(text) == "kid_unknown");  // a key that is gone takes its tokens along

    house.keys[0] = snapshot({"a:k1"});
    house.install();
    REQUIRE(house.verdict(text) == "allow");
    auto stricter = std::make_shared<Rules>(*house.rules);
    stricter->issuers[0].audiences = {"another"};
    house.rules = stricter;
    house.install();
    CHECK(house.verdict(text) == "audience_mismatch");

    house.keys[0] = snapshot({});  // keys too old to serve
    house.install();
    CHECK(house.verdict(text) == "keys_unavailable");
}

TEST_CASE("the cache stays inside its bytes, the newest are there, the oldest are not") {
    constexpr std::size_t budget = 64 * 1024;
    House house(budget);
    std::vector<std::string> texts;
    for (int i = 0; i < 400; ++i) {
        texts.push_back(token(claims("\"jti\":\"" + std::to_string(i) + "\"")));
        REQUIRE(house.verdict(texts.back()) == "allow");
        if (house.gate.cache().bytes() > budget) FAIL_CHECK("over its budget");
    }
    CHECK(house.gate.cache().size() > 20);
    CHECK(house.gate.cache().size() < 400);
    CHECK(house.remembers(texts.back()));
    CHECK_FALSE(house.remembers(texts.front()));
}

TEST_CASE("what is used stays while what is not goes") {
    House house(32 * 1024);
    const auto favourite = token(claims("\"jti\":\"favourite\""));
    REQUIRE(house.verdict(favourite) == "allow");
    for (int i = 0; i < 300; ++i) {
        REQUIRE(house.verdict(token(claims("\"jti\":\"" + std::to_string(i) + "\""))) == "allow");
        CHECK(house.remembers(favourite));
    }
}

TEST_CASE("a token larger than the cache, or a cache of nothing, remembers nothing and admits all the same") {
    House none(0);
    for (int i = 0; i < 2; ++i) {
        const auto d = none.ask(token());
        CHECK(d.kind == Decision::Kind::allow);
        CHECK_FALSE(d.remembered);
    }
    House small(2048);
    const auto large = token(claims("\"x\":\"" + std::string(4000, 'x') + "\""));
    for (int i = 0; i < 2; ++i) CHECK_FALSE(small.remembers(large));
    CHECK(small.gate.cache().bytes() == 0);
}

TEST_CASE("what a token costs is about what it takes, its names included") {
    House house;
    REQUIRE(house.verdict(token(claims("\"jti\":\"" + std::string(8000, 'j') + "\""))) == "allow");
    CHECK(house.gate.cache().bytes() > 8000 * 4 / 3 + 8000);  // its text, and the jti that is kept beside it
}

}  // namespace
}  // namespace signet::gate
