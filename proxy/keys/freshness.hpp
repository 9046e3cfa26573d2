// How long an answer says that it is good for (RFC 9111 §4.2), as far as a key set's refresh asks.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace signet::keys {

// Field values as they came; empty where there was none.
struct FreshnessFields {
    std::string_view cache_control;
    std::string_view expires;
    std::string_view date;
    std::string_view age;
};

// What is left of a positive max-age, or where there is no max-age, of the time until Expires; a second at
// least. nullopt: nothing of the kind was said, so the operator's interval holds. `now` stands in for a Date
// that is missing.
std::optional<seconds> time_left(const FreshnessFields& fields, WallTime now);

// An HTTP-date in any of its three forms (RFC 9110 §5.6.7).
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace signet::keys
