// When to fetch one issuer's keys. Pure: told what happened and when, it says what is due. It knows no
// sockets and no clock, and a fetch knows nothing of the requests that wait for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "keys/settings.hpp"

namespace signet::keys {

class RefreshMachine {
  public:
    // jitter: 0..1, fixed per machine, so that a fleet does not fetch in step.
    RefreshMachine(const Settings& settings, double jitter, SteadyTime now)
        : refresh_interval_(settings.refresh_interval),
          cooldown_(settings.refetch_cooldown),
          max_stale_(settings.max_stale),
          jitter_(jitter),
          next_fetch_(now) {}

    // ---- events ----
    // Keys of a success `age` ago are at hand, from disk or from before a reload. They serve; a fetch is due.
    // fetches: how many had ended then, so that a request which waits goes on waiting.
    void restored(SteadyTime now, milliseconds age, std::uint64_t fetches = 0) {
        last_success_ = now - age;
        fetches_ = fetches;
    }
    void fetch_started(SteadyTime now);
    // time_left: what the answer said of itself (keys/freshness.hpp).
    void fetch_succeeded(SteadyTime now, std::optional<seconds> time_left);
    void fetch_failed(SteadyTime now);
    // A request met a kid that the set does not have. Within the cool-down one fetch is scheduled for its
    // end.
    void unknown_kid(SteadyTime now);
    // During a fetch: another one follows, since the answer under way may be older than the request.
    void refresh_requested(SteadyTime now) {
        next_fetch_ = now;
        again_ = fetching_;
    }

    // ---- questions ----
    [[nodiscard]] bool fetch_is_due(SteadyTime now) const { return !fetching_ && now >= next_fetch_; }
    [[nodiscard]] SteadyTime next_fetch() const { return next_fetch_; }
    [[nodiscard]] bool fetching() const { return fetching_; }
    // When the fetch that is under way, or else the last one, began.
    [[nodiscard]] SteadyTime flight_began() const { return flight_began_; }
    // Keys are at hand, restored ones too, and no fetch has failed since.
    [[nodiscard]] bool last_fetch_good() const { return failures_ == 0 && last_success_.has_value(); }
    [[nodiscard]] SteadyTime refetch_from() const { return refetch_from_; }
    [[nodiscard]] std::optional<SteadyTime> last_success() const { return last_success_; }
    // Until when the keys of the last success may serve.
    [[nodiscard]] std::optional<SteadyTime> good_until() const {
        return last_success_ ? std::optional(*last_success_ + max_stale_) : std::nullopt;
    }
    [[nodiscard]] std::uint64_t fetches() const { return fetches_; }

  private:
    milliseconds refresh_interval_;
    milliseconds cooldown_;
    milliseconds max_stale_;
    double jitter_;
    SteadyTime next_fetch_;
    SteadyTime refetch_from_ = SteadyTime::min();  // not `now`: a worker's clock may be a tick behind
    std::optional<SteadyTime> last_success_;
    std::uint64_t fetches_ = 0;
    std::uint32_t failures_ = 0;  // in a row
    SteadyTime flight_began_{};
    bool fetching_ = false;
    bool again_ = false;
    bool scheduled_by_kid_ = false;
};

}  // namespace signet::keys
