#include "gate/near_miss.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "unit/gate/house.hpp"

namespace signet::gate {
namespace {

using namespace test;

std::string hint(House& house, const std::string& token) {
    const auto decision = house.ask(token);
    REQUIRE(decision.kind == Decision::Kind::deny);
    return near_miss(token, decision, *house.rules, house.keys[0].get(), wall);
}

TEST_CASE("what a stranger wrote into a token steers no terminal and adds no line") {
    House house;
    for (const auto* name : {R"(x\n  ok   signature)", R"(\u001b]0;x\u0007)", R"(\u009b2J)", R"(\u007f\r)"}) {
        CAPTURE(name);
        const auto iss = hint(house, unsigned_token(R"({"alg":"ES256"})", claims("", name)));
        CHECK_THAT(iss, Catch::StartsWith("the issuer is '"));
        const auto kid =
            hint(house, unsigned_token(std::string(R"({"alg":"ES256","kid":")") + name + R"("})", claims()));
        CHECK_THAT(kid, Catch::StartsWith("the token names '"));
        for (const auto& text : {iss, kid}) {
            CHECK_THAT(text, Catch::Contains("\\"));
            for (const char c : text) CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
            CHECK_THAT(text, !Catch::Contains("\xC2\x9B"));
        }
    }
}

TEST_CASE("a long name is cut between two characters") {
    House house;
    std::string name(199, 'x');
    name += "éy";
    CHECK_THAT(hint(house, unsigned_token(R"({"alg":"ES256"})", claims("", name))),
               Catch::StartsWith("the issuer is '" + std::string(199, 'x') + "…'"));
}

}  // namespace
}  // namespace signet::gate
