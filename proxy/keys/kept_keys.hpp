// What is kept of one issuer's last good fetch, so that a restart serves while the issuer is away. Pure: the
// text of the file is made and judged here, `store` reads and writes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "keys/settings.hpp"

namespace signet::keys {

struct KeptKeys {
    std::string text;                       // of the set, as the issuer sent it
    WallTime fetched_at;                    // the last success; an answer 304 is one
    std::string jwks_uri;                   // where the set was
    std::optional<WallTime> discovered_at;  // when a discovery document last named jwks_uri
};

// Are the keys of both fetched, from the same place, believed by the same trust?
bool same_source(const Settings& a, const Settings& b);

// One name for each source: the issuer's for people, a digest for what must not be mixed up. Another label
// keeps the file.
std::string kept_file_name(const Settings& settings);

std::string kept_file_text(const Settings& settings, const KeptKeys& kept);

// A Fault says why the text is not to be used: changed since it was written, of another issuer or source,
// older than max_stale, or from the future. The set itself is not looked at.
result<KeptKeys> parse_kept_file(const Settings& settings, std::string_view text, WallTime now);

// Clocks that were set back a little are no reason to lose keys; more is.
inline constexpr std::chrono::minutes future_allowed{5};
inline constexpr std::size_t max_kept_file = 2 * 1024 * 1024;  // 256 KiB of keys, escaped

}  // namespace signet::keys
