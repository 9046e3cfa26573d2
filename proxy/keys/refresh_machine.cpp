#include "keys/refresh_machine.hpp"

namespace signet::keys {
namespace {

constexpr seconds shortest_refresh{30};  // an answer's time below counts as this
constexpr milliseconds first_retry{1000};
constexpr seconds longest_retry{60};

}  // namespace

void RefreshMachine::fetch_started(SteadyTime now) {
    fetching_ = true;
    flight_began_ = now;
    // A fetch that an unknown kid has scheduled counts as that kid's: the next cool-down begins with it.
    if (scheduled_by_kid_) refetch_from_ = std::max(refetch_from_, now + cooldown_);
    scheduled_by_kid_ = false;
}

void RefreshMachine::fetch_succeeded(SteadyTime now, std::optional<seconds> time_left) {
    fetching_ = false;
    failures_ = 0;
    ++fetches_;
    last_success_ = now;
    milliseconds interval = refresh_interval_;
    if (time_left && time_left->count() > 0)
        interval = std::min<milliseconds>(interval, std::max(*time_left, shortest_refresh));
    // Up to a tenth early, never late: the interval is what an operator relies on.
    const auto early = interval * (0.1 * jitter_);
    next_fetch_ = again_ ? now : now + interval - std::chrono::duration_cast<milliseconds>(early);
    again_ = false;
}

void RefreshMachine::fetch_failed(SteadyTime now) {
    fetching_ = false;
    ++fetches_;
    const auto exponent = std::min<std::uint32_t>(failures_, 10);
    ++failures_;
    const auto longest =
        std::min<milliseconds>(longest_retry, std::max<milliseconds>(refresh_interval_, first_retry));
    const auto wait = std::min<milliseconds>(first_retry * (1 << exponent), longest);
    // Half fixed, half by the jitter.
    next_fetch_ =
        again_ ? now : now + wait / 2 + std::chrono::duration_cast<milliseconds>(wait / 2 * jitter_);
    again_ = false;
}

void RefreshMachine::unknown_kid(SteadyTime now) {
    // Who came while it was under way looks at its answer, and asks again where that does not have the kid.
    if (fetching_) return;
    if (now >= refetch_from_) {
        refetch_from_ = now + cooldown_;
        next_fetch_ = std::min(next_fetch_, now);
    } else {
        next_fetch_ = std::min(next_fetch_, refetch_from_);
        scheduled_by_kid_ = true;
    }
}

}  // namespace signet::keys
