// Whole stories of an issuer, replayed on a manual clock with a failure at every step: a rotation, a flood of
// unknown kids, an outage, a restart. What must hold is asked at each tick.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <vector>

#include "keys/refresh_machine.hpp"

namespace signet::keys {
namespace {

using std::chrono::duration_cast;

constexpr milliseconds tick{100};
constexpr milliseconds flight{300};  // how long a fetch takes
constexpr SteadyTime start{std::chrono::hours{1000}};

Settings usual() {
    Settings s;
    s.refresh_interval = seconds{600};
    s.refetch_cooldown = seconds{30};
    s.max_stale = seconds{7200};
    return s;
}

// An issuer, a machine that follows it, and requests.
class Story {
  public:
    // fails(n): does the n-th fetch fail? The first is 0.
    Story(const Settings& settings, double jitter, std::function<bool(int)> fails)
        : settings_(settings), machine_(settings, jitter, start), fails_(std::move(fails)) {}

    // Lives on until that second; each tick is one request with `kid`, where one is given.
    void live_until(double second, std::optional<int> kid = {}) {
        const auto end = start + duration_cast<milliseconds>(std::chrono::duration<double>(second));
        for (; now_ < end; now_ += tick) {
            if (kid) request(*kid);
            step();
        }
    }
    void rotate(std::vector<int> kids) { issuer_ = std::move(kids); }
    void restart() {
        const auto age = duration_cast<milliseconds>(now_ - machine_.last_success().value());
        machine_ = RefreshMachine(settings_, 0.5, now_);
        machine_.restored(now_, age);
        ends_.reset();
    }
    [[nodiscard]] bool serves() const { return machine_.good_until() && now_ < *machine_.good_until(); }
    [[nodiscard]] bool knows(int kid) const { return std::ranges::find(set_, kid) != set_.end(); }
    [[nodiscard]] int fetches() const { return fetches_; }
    [[nodiscard]] double second() const { return std::chrono::duration<double>(now_ - start).count(); }
    [[nodiscard]] bool healthy() const { return machine_.last_fetch_good(); }
    [[nodiscard]] std::optional<SteadyTime> last_success() const { return machine_.last_success(); }

    bool always_one_flight = true;

  private:
    void request(int kid) {
        if (!knows(kid)) machine_.unknown_kid(now_);
    }
    void step() {
        if (ends_ && now_ >= *ends_) {
            ends_.reset();
            if (fails_(fetches_ - 1)) {
                machine_.fetch_failed(now_);
            } else {
                set_ = issuer_;
                machine_.fetch_succeeded(now_, {});
            }
        }
        if (!machine_.fetch_is_due(now_)) return;
        if (ends_) always_one_flight = false;
        machine_.fetch_started(now_);
        ++fetches_;
        ends_ = now_ + flight;
    }

    Settings settings_;
    RefreshMachine machine_;
    std::function<bool(int)> fails_;
    SteadyTime now_ = start;
    std::optional<SteadyTime> ends_;
    std::vector<int> issuer_{1}, set_;
    int fetches_ = 0;
};

// The longest wait after a failure, and the flight; the grain of the ticks beside.
constexpr double heals_within = 60 + 0.3 + 0.2;

// One failure at the k-th fetch, or `length` of them from there on.
void replay(const std::function<void(Story&)>& script, const Settings& settings = usual()) {
    for (const int length : {1, 3})
        for (const double jitter : {0.0, 1.0})
            for (int k = 0; k < 12; ++k) {
                CAPTURE(length, jitter, k);
                Story story(settings, jitter, [k, length](int n) { return n >= k && n < k + length; });
                script(story);
                CHECK(story.always_one_flight);
            }
}

TEST_CASE("a rotation with overlap, with a failure at every step: the new key comes, the old one goes") {
    replay([](Story& story) {
        story.live_until(700);
        REQUIRE(story.serves());
        story.rotate({1, 2});
        story.live_until(1400);
        CHECK(story.serves());
        CHECK(story.knows(2));  // by the refresh, without one request for it
        story.rotate({2});
        story.live_until(2100);
        CHECK_FALSE(story.knows(1));
        CHECK(story.knows(2));
    });
}

TEST_CASE("a rotation without overlap, with a failure at every step: the first requests bring the new key") {
    replay([](Story& story) {
        story.live_until(650);
        story.rotate({2});
        double known_at = 0;
        while (!story.knows(2) && story.second() < 1000) {
            story.live_until(story.second() + 0.1, 2);
            CHECK(story.serves());
            known_at = story.second();
        }
        // At once, or after the failures' back-off; never longer than a cool-down and that.
        CHECK(known_at - 650 <= 30 + 7.5);
    });
}

TEST_CASE(
    "a flood of unknown kids, with a failure at every step: one fetch a cool-down, and the failures' "
    "retries") {
    replay([](Story& story) {
        story.live_until(100);
        const int before = story.fetches();
        story.live_until(400, 99);
        // One at once, one for each cool-down; refreshes and retries beside.
        CHECK(story.fetches() - before <= 1 + 10 + 1 + 3);
        CHECK(story.fetches() - before >= 9);
        story.rotate({1, 2});
        story.live_until(440, 2);
        CHECK(story.knows(2));
        CHECK(story.serves());
    });
}

TEST_CASE(
    "an outage of any length up to max_stale refuses nobody, and ends with the first fetch that works") {
    for (const double length : {1.0, 59.0, 600.0, 3600.0, 6500.0})
        for (const double jitter : {0.0, 0.5, 1.0}) {
            CAPTURE(length, jitter);
            bool down = false;
            Story story(usual(), jitter, [&down](int) { return down; });
            story.live_until(50);
            down = true;
            while (story.second() < 50 + length) {
                story.live_until(story.second() + 1);
                REQUIRE(story.serves());
            }
            // One every half minute at the most often, once backed off.
            CHECK(story.fetches() <= 2 + 8 + static_cast<int>(length / 29));
            down = false;
            story.rotate({1, 7});
            story.live_until(50 + std::max(length, 600.0) + heals_within);
            CHECK(story.healthy());
            CHECK(story.knows(7));
        }
}

TEST_CASE("past max_stale nothing serves, and the first success serves again") {
    bool down = false;
    Story story(usual(), 0.5, [&down](int) { return down; });
    story.live_until(10);
    const double known_until = std::chrono::duration<double>(*story.last_success() - start).count() + 7200;
    down = true;
    story.live_until(known_until - 0.2);
    CHECK(story.serves());
    story.live_until(known_until + 0.1);
    CHECK_FALSE(story.serves());
    story.live_until(known_until + 5000);
    CHECK_FALSE(story.serves());
    down = false;
    story.live_until(story.second() + heals_within);
    CHECK(story.serves());
}

TEST_CASE("a restart in an outage serves on, for what is left of max_stale and no longer") {
    bool down = false;
    Story story(usual(), 0.5, [&down](int) { return down; });
    story.live_until(10);
    const double known_until = std::chrono::duration<double>(*story.last_success() - start).count() + 7200;
    down = true;
    story.live_until(3000);
    story.restart();
    CHECK(story.serves());
    const int before = story.fetches();
    story.live_until(3001);
    CHECK(story.fetches() == before + 1);  // it asks at once
    story.live_until(known_until - 0.2);
    CHECK(story.serves());
    story.restart();
    story.live_until(known_until + 0.1);
    CHECK_FALSE(story.serves());
    down = false;
    story.live_until(story.second() + heals_within);
    CHECK(story.serves());
}

}  // namespace
}  // namespace signet::keys
