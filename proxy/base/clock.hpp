// Time, as values that callers pass in. Pure code never asks a clock.
#pragma once

#include <chrono>

namespace signet {

// Wall time: what tokens, revocations and logs speak of. Milliseconds, since NumericDate (RFC 7519 §2) allows
// fractions.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// Waiting time: cool-downs, deadlines, back-off. Never goes back.
using SteadyTime = std::chrono::steady_clock::time_point;

using std::chrono::milliseconds;
using std::chrono::seconds;

inline WallTime wall_now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

}  // namespace signet
