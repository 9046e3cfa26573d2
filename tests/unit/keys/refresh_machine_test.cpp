#include "keys/refresh_machine.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <vector>

namespace signet::keys {
namespace {

using std::chrono::duration_cast;

constexpr SteadyTime start{std::chrono::hours{1000}};

Settings usual() {
    Settings s;
    s.refresh_interval = seconds{600};
    s.refetch_cooldown = seconds{30};
    s.max_stale = seconds{3600};
    return s;
}

// A machine with a clock of its own, told what happens.
struct Script {
    explicit Script(const Settings& settings = usual(), double jitter = 0)
        : machine(settings, jitter, start) {}

    Script& at(double s) {
        now = start + duration_cast<SteadyTime::duration>(std::chrono::duration<double>(s));
        return *this;
    }
    // If a fetch is due it is made, at once, and ends as told.
    bool poll(bool success = true, std::optional<seconds> max_age = {}) {
        if (!machine.fetch_is_due(now)) return false;
        machine.fetch_started(now);
        if (success)
            machine.fetch_succeeded(now, max_age);
        else
            machine.fetch_failed(now);
        return true;
    }
    [[nodiscard]] double next_in() const {
        return std::chrono::duration<double>(machine.next_fetch() - now).count();
    }

    RefreshMachine machine;
    SteadyTime now = start;
};

TEST_CASE("the first fetch is due at once, and nothing is known before it") {
    Script s;
    CHECK(s.machine.fetch_is_due(start));
    CHECK_FALSE(s.machine.last_fetch_good());
    CHECK_FALSE(s.machine.last_success());
    CHECK_FALSE(s.machine.good_until());
    CHECK(s.machine.fetches() == 0);
    CHECK(s.poll());
    CHECK(s.machine.last_fetch_good());
    CHECK(s.machine.last_success() == start);
    CHECK(s.machine.good_until() == start + seconds{3600});
    CHECK(s.machine.fetches() == 1);
}

TEST_CASE("no second fetch is due while one is on its way") {
    Script s;
    s.machine.fetch_started(s.now);
    CHECK(s.machine.fetching());
    CHECK_FALSE(s.machine.fetch_is_due(s.now));
    s.at(100);
    CHECK_FALSE(s.machine.fetch_is_due(s.now));
    s.machine.unknown_kid(s.now);
    CHECK_FALSE(s.machine.fetch_is_due(s.now));
    s.machine.fetch_succeeded(s.now, {});
    CHECK_FALSE(s.machine.fetching());
    CHECK(s.next_in() == Approx(600));
}

TEST_CASE(
    "after a success the keys are refreshed at the interval, which a max-age shortens, to 30 s at least") {
    struct Row {
        int interval;
        std::optional<seconds> max_age;
        double next;
    };
    for (const auto& row : {Row{600, {}, 600},
                            {600, seconds{120}, 120},
                            {600, seconds{7200}, 600},
                            {600, seconds{30}, 30},
                            {600, seconds{29}, 30},
                            {600, seconds{1}, 30},
                            {600, seconds{0}, 600},
                            {600, seconds{-5}, 600},
                            {10, {}, 10},
                            {10, seconds{1}, 10},
                            {10, seconds{300}, 10}}) {
        auto settings = usual();
        settings.refresh_interval = seconds{row.interval};
        Script s(settings);
        REQUIRE(s.poll(true, row.max_age));
        CAPTURE(row.interval, row.next);
        CHECK(s.next_in() == Approx(row.next));
        CHECK_FALSE(s.machine.fetch_is_due(
            s.now + duration_cast<milliseconds>(std::chrono::duration<double>(row.next)) - milliseconds{1}));
        CHECK(s.machine.fetch_is_due(s.machine.next_fetch()));
    }
}

TEST_CASE("the jitter makes a refresh earlier by a tenth at most, never later") {
    for (const double jitter : {0.0, 0.25, 0.5, 1.0}) {
        Script s(usual(), jitter);
        REQUIRE(s.poll());
        CAPTURE(jitter);
        CHECK(s.next_in() <= 600);
        CHECK(s.next_in() == Approx(600 - 60 * jitter));
    }
}

TEST_CASE("failures back off, doubling, to a minute at most, and a success ends it") {
    for (const double jitter : {0.0, 0.5, 1.0}) {
        Script s(usual(), jitter);
        double elapsed = 0, longest = 0;
        for (int failure = 0; failure < 40; ++failure) {
            REQUIRE(s.poll(false));
            const double full = std::min(60.0, 1.0 * static_cast<double>(1u << std::min(failure, 10)));
            CAPTURE(jitter, failure);
            CHECK(s.next_in() == Approx(full / 2 + full / 2 * jitter).margin(0.002));
            CHECK(s.next_in() > 0.4);
            longest = std::max(longest, s.next_in());
            elapsed += s.next_in();
            CHECK_FALSE(s.machine.last_fetch_good());
            s.at(elapsed);
        }
        CHECK(longest <= 60);
        CHECK(s.machine.fetches() == 40);
        REQUIRE(s.poll(true));
        CHECK(s.machine.last_fetch_good());
        s.at(elapsed + 600);
        REQUIRE(s.poll(false));
        CHECK(s.next_in() <= 1.0);
    }
}

TEST_CASE("a short refresh interval is also the longest wait after a failure") {
    auto settings = usual();
    settings.refresh_interval = seconds{5};
    Script s(settings, 1);
    double elapsed = 0;
    for (int i = 0; i < 10; ++i) {
        REQUIRE(s.poll(false));
        CHECK(s.next_in() <= 5);
        elapsed += s.next_in();
        s.at(elapsed);
    }
}

TEST_CASE("a failure keeps the keys of the last success until max_stale") {
    Script s;
    REQUIRE(s.poll(true));
    s.at(600);
    REQUIRE(s.poll(false));
    CHECK(s.machine.last_success() == start);
    CHECK(s.machine.good_until() == start + seconds{3600});
    CHECK_FALSE(s.machine.last_fetch_good());
}

TEST_CASE("an unknown kid fetches at once where the cool-down allows it") {
    Script s;
    REQUIRE(s.poll(true));
    s.at(100);
    s.machine.unknown_kid(s.now);
    CHECK(s.machine.fetch_is_due(s.now));
    CHECK(s.machine.refetch_from() == s.now + seconds{30});
}

TEST_CASE("inside the cool-down an unknown kid schedules one fetch for its end") {
    Script s;
    REQUIRE(s.poll(true));
    s.at(100).machine.unknown_kid(s.now);
    REQUIRE(s.poll(true));
    s.at(101).machine.unknown_kid(s.now);
    CHECK_FALSE(s.machine.fetch_is_due(s.now));
    CHECK(s.next_in() == Approx(29));
    s.at(115).machine.unknown_kid(s.now);
    CHECK(s.next_in() == Approx(15));
    s.at(129.9);
    CHECK_FALSE(s.machine.fetch_is_due(s.now));
    s.at(130);
    CHECK(s.machine.fetch_is_due(s.now));
}

TEST_CASE("without an unknown kid the cool-down's end fetches nothing") {
    Script s;
    REQUIRE(s.poll(true));
    s.at(100).machine.unknown_kid(s.now);
    REQUIRE(s.poll(true));
    for (double t = 101; t < 690; t += 1) CHECK_FALSE(s.at(t).poll(true));
    CHECK(s.at(700).poll(true));
}

TEST_CASE("a stream of unknown kids causes one fetch a cool-down") {
    auto settings = usual();
    settings.refresh_interval = seconds{100'000};
    Script s(settings);
    REQUIRE(s.poll(true));
    std::vector<double> fetched;
    for (double t = 100; t < 400; t += 0.1) {
        s.at(t).machine.unknown_kid(s.now);
        if (!s.machine.fetch_is_due(s.now)) continue;
        fetched.push_back(t);
        s.machine.fetch_started(s.now);
        s.at(t + 0.05).machine.unknown_kid(s.now);
        s.machine.fetch_succeeded(s.now, {});
    }
    CAPTURE(fetched);
    CHECK(fetched.size() >= 9);
    CHECK(fetched.size() <= 11);
    for (std::size_t i = 1; i < fetched.size(); ++i) CHECK(fetched[i] - fetched[i - 1] >= 29.9);
}

TEST_CASE("a refresh that was asked for is due at once") {
    Script s;
    REQUIRE(s.poll(true));
    s.at(5).machine.refresh_requested(s.now);
    CHECK(s.machine.fetch_is_due(s.now));
}

TEST_CASE("an unknown kid never puts off a fetch that was to come sooner") {
    Script s;
    REQUIRE(s.poll(true));
    s.at(100).machine.unknown_kid(s.now);
    REQUIRE(s.poll(false));
    const auto retry = s.machine.next_fetch();
    CHECK(retry < s.now + seconds{2});
    s.at(100.1).machine.unknown_kid(s.now);
    CHECK(s.machine.next_fetch() == retry);
}

TEST_CASE("every fetch that ended is counted, good or bad") {
    Script s;
    s.poll(false);
    s.at(10).poll(false);
    s.at(20).poll(true);
    CHECK(s.machine.fetches() == 3);
    s.machine.fetch_started(s.now);
    CHECK(s.machine.fetches() == 3);
}

}  // namespace
}  // namespace signet::keys
