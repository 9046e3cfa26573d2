#include "keys/absent_kids.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <vector>

namespace signet::keys {
namespace {

constexpr SteadyTime start{std::chrono::hours{1000}};
constexpr Hash128 stale{1, 1};

// Asked for and fetched in vain, at that second.
void in_vain(AbsentKids& kids, Hash128 kid, int second) {
    kids.asked(kid);
    kids.fetched(start + seconds(second), false, {});
}

std::optional<double> quiet_for(const AbsentKids& kids, Hash128 kid, int second) {
    if (!kids.quiet()) return std::nullopt;
    for (const auto& q : *kids.quiet())
        if (q.kid == kid) return std::chrono::duration<double>(q.until - (start + seconds(second))).count();
    return std::nullopt;
}

TEST_CASE("a kid may fetch twice in vain; from then on it is quiet for two cool-downs, then for four") {
    AbsentKids kids(seconds(30));
    in_vain(kids, stale, 0);
    CHECK_FALSE(kids.quiet());
    in_vain(kids, stale, 30);
    CHECK_FALSE(kids.quiet());
    int second = 60;
    for (const double wait : {60.0, 120.0, 120.0, 120.0}) {
        in_vain(kids, stale, second);
        CHECK(quiet_for(kids, stale, second) == wait);
        second += static_cast<int>(wait);
    }
}

TEST_CASE("a fetch that was not for it tells nothing of it, and one that brings it makes it no absent one") {
    AbsentKids kids(seconds(30));
    for (int i = 0; i < 10; ++i) kids.fetched(start + seconds(i), false, {});
    CHECK_FALSE(kids.quiet());
    for (int i = 0; i < 10; ++i) {
        kids.asked(stale);
        kids.fetched(start + seconds(i), false, std::vector{stale});
    }
    CHECK_FALSE(kids.quiet());
}

TEST_CASE("a changed set forgets all") {
    AbsentKids kids(seconds(30));
    for (int i = 0; i < 3; ++i) in_vain(kids, stale, i);
    REQUIRE(kids.quiet());
    kids.fetched(start + seconds(4), true, {});
    CHECK_FALSE(kids.quiet());
    for (int i = 5; i < 7; ++i) in_vain(kids, stale, i);
    CHECK_FALSE(kids.quiet());
}

TEST_CASE("quiet ends by itself") {
    AbsentKids kids(seconds(30));
    for (int i = 0; i < 3; ++i) in_vain(kids, stale, i);
    kids.fetched(start + seconds(63), false, {});
    CHECK_FALSE(kids.quiet());
}

TEST_CASE("a flood of random kids stays bounded and pushes out none that is known to be absent") {
    AbsentKids kids(seconds(30));
    for (int i = 0; i < 8; ++i) in_vain(kids, stale, i);
    std::uint64_t random = 100;
    for (int fetch = 10; fetch < 100; ++fetch) {
        for (std::size_t i = 0; i < 10 * AbsentKids::most_asked; ++i) kids.asked({++random, 7});
        kids.fetched(start + seconds(fetch), false, {});
        REQUIRE(kids.quiet());
        CHECK(kids.quiet()->size() == 1);
    }
    // Every place taken by kids that are known for certain: the oldest gives way.
    for (std::uint64_t kid = 0; kid < 2 * AbsentKids::most_known; ++kid)
        for (int i = 0; i < 3; ++i) in_vain(kids, {kid, 9}, 100);
    CHECK(kids.quiet()->size() == AbsentKids::most_known);
}

}  // namespace
}  // namespace signet::keys
