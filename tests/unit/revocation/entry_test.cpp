#include "revocation/entry.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>

namespace signet::revocation {
namespace {

using namespace std::literals;

constexpr WallTime epoch{};

WallTime at(int s) { return epoch + seconds{s}; }

Entry entry(std::optional<WallTime> issued_before, std::optional<WallTime> expires_at,
            std::string reason = "", int created = 0) {
    return {{Kind::jti, "i", "j"}, issued_before, expires_at, std::move(reason), at(created)};
}

// Does the entry alone refuse a token issued then, now?
bool refuses(const Entry& e, std::optional<WallTime> issued, WallTime now) {
    if (e.expires_at && *e.expires_at <= now) return false;
    return !e.issued_before || !issued || *issued <= *e.issued_before;
}

TEST_CASE("each kind has its word") {
    for (const auto& [kind, text] : {std::pair{Kind::jti, "jti"sv},
                                     {Kind::sid, "sid"sv},
                                     {Kind::sub, "sub"sv},
                                     {Kind::client, "client"sv},
                                     {Kind::kid, "kid"sv},
                                     {Kind::issuer, "issuer"sv}}) {
        CHECK(word(kind) == text);
        CHECK(kind_from(text) == kind);
    }
    for (const auto text : {"", "JTI", "jti ", "aud", "jt"}) CHECK_FALSE(kind_from(text));
}

TEST_CASE("the same target has the same id everywhere, and no two targets share one") {
    CHECK(TargetKey{Kind::jti, "https://idp", "abc"}.id() == TargetKey{Kind::jti, "https://idp", "abc"}.id());
    // Written down: an id that changes with a release would orphan what operators have noted.
    CHECK(TargetKey{Kind::jti, "", "abc"}.id().size() == 32);
    std::set<std::string> ids;
    int targets = 0;
    for (const auto kind : {Kind::jti, Kind::sid, Kind::sub, Kind::client, Kind::kid, Kind::issuer})
        for (const auto& issuer : {""s, "a"s, "ab"s, "1:a"s})
            for (const auto& value : {""s, "a"s, "ab"s, "b"s, ":a"s, "1:a"s, "\0"s}) {
                const auto id = TargetKey{kind, issuer, value}.id();
                CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
                ids.insert(id);
                ++targets;
            }
    CHECK(ids.size() == static_cast<std::size_t>(targets));
}

TEST_CASE("merging takes no condition over one, the later time, the later end, no end over one") {
    const auto merged = merge(entry(at(10), at(100), "first", 5), entry(at(20), at(50), "second", 7));
    CHECK(merged.issued_before == at(20));
    CHECK(merged.expires_at == at(100));
    CHECK(merged.reason == "second");
    CHECK(merged.created == at(5));
    CHECK(merged.target == TargetKey{Kind::jti, "i", "j"});
    CHECK_FALSE(merge(entry({}, at(1)), entry(at(9), at(2))).issued_before);
    CHECK_FALSE(merge(entry(at(9), at(2)), entry({}, at(1))).issued_before);
    CHECK_FALSE(merge(entry(at(9), {}), entry(at(9), at(1))).expires_at);
    CHECK_FALSE(merge(entry(at(9), at(1)), entry(at(9), {})).expires_at);
    CHECK(merge(entry({}, {}, "kept"), entry({}, {})).reason == "kept");
}

TEST_CASE("no merge is weaker than what went into it, in either order, for any token at any moment") {
    std::mt19937 random(20261123);
    const auto maybe_time = [&]() -> std::optional<WallTime> {
        if (random() % 4 == 0) return std::nullopt;
        return at(static_cast<int>(random() % 10));
    };
    for (int round = 0; round < 3000; ++round) {
        const auto a = entry(maybe_time(), maybe_time()), b = entry(maybe_time(), maybe_time());
        const auto ab = merge(a, b), ba = merge(b, a);
        CHECK((ab.issued_before == ba.issued_before && ab.expires_at == ba.expires_at));
        const auto again = merge(ab, b);
        CHECK((again.issued_before == ab.issued_before && again.expires_at == ab.expires_at));
        for (int issued = -1; issued < 11; ++issued)
            for (int now = 0; now < 11; ++now) {
                const auto token_issued = issued < 0 ? std::nullopt : std::optional(at(issued));
                if ((refuses(a, token_issued, at(now)) || refuses(b, token_issued, at(now))) &&
                    !refuses(ab, token_issued, at(now))) {
                    CAPTURE(round, issued, now);
                    FAIL_CHECK("the merge lets through what one of the two refuses");
                }
            }
    }
}

}  // namespace
}  // namespace signet::revocation
