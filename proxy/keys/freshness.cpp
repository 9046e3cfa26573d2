#include "keys/freshness.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace signet::keys {
namespace {

constexpr std::uint64_t longest = 10 * 365 * 86'400;  // more means the same

constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};

std::optional<std::uint64_t> delta_seconds(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
    return std::min(parse_decimal(text).value_or(longest), longest);  // RFC 9111 §1.2.2: too large is large
}

struct Parts {
    std::array<std::string_view, 7> words;  // one more than a date has
    std::size_t count = 0;
};

// The words between separators; more than a date has are left out.
Parts split(std::string_view text, char separator) {
    Parts out;
    while (!text.empty() && out.count < out.words.size()) {
        const auto end = std::min(text.find(separator), text.size());
        if (end != 0) out.words[out.count++] = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::optional<milliseconds> time_of_day(std::string_view text) {
    if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
    const auto h = parse_decimal(text.substr(0, 2)), m = parse_decimal(text.substr(3, 2)),
               s = parse_decimal(text.substr(6, 2));
    if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
    return seconds(static_cast<std::int64_t>(*h * 3600 + *m * 60 + *s));
}

std::optional<WallTime> made_of(std::string_view day, std::string_view month, std::string_view year,
                                std::string_view time) {
    const auto place = std::ranges::find(months, to_lower(month));
    const auto d = parse_decimal(day), y = parse_decimal(year);
    const auto t = time_of_day(time);
    if (place == months.end() || !d || !y || !t) return std::nullopt;
    auto full = static_cast<int>(std::min<std::uint64_t>(*y, 10'000));
    if (year.size() == 2) full += full < 70 ? 2000 : 1900;  // the obsolete form's two digits
    const auto date = std::chrono::year(full) / (static_cast<int>(place - months.begin()) + 1) /
                      static_cast<int>(std::min<std::uint64_t>(*d, 99));
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + *t;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
    const auto parts = split(trim_ows(text), ' ');
    const auto& w = parts.words;
    // Sun, 06 Nov 1994 08:49:37 GMT
    if (parts.count == 6 && w[0].ends_with(',') && w[5] == "GMT") return made_of(w[1], w[2], w[3], w[4]);
    // Sunday, 06-Nov-94 08:49:37 GMT
    if (parts.count == 4 && w[0].ends_with(',') && w[3] == "GMT") {
        const auto date = split(w[1], '-');
        if (date.count != 3) return std::nullopt;
        return made_of(date.words[0], date.words[1], date.words[2], w[2]);
    }
    // Sun Nov  6 08:49:37 1994
    if (parts.count == 5) return made_of(w[2], w[1], w[4], w[3]);
    return std::nullopt;
}

std::optional<seconds> time_left(const FreshnessFields& fields, WallTime now) {
    std::optional<std::uint64_t> max_age;
    bool stated = false;
    for_each_element(fields.cache_control, [&](std::string_view directive) {
        constexpr std::string_view name = "max-age";
        const auto equals = directive.find('=');
        if (!iequals(trim_ows(directive.substr(0, equals)), name) || stated) return;
        stated = true;  // the first one counts
        if (equals != std::string_view::npos) max_age = delta_seconds(trim_ows(directive.substr(equals + 1)));
    });
    std::int64_t lifetime = 0;
    if (stated) {
        lifetime = static_cast<std::int64_t>(max_age.value_or(0));
    } else if (const auto expires = parse_http_date(fields.expires)) {
        const auto span = *expires - parse_http_date(fields.date).value_or(now);
        lifetime =
            std::min(std::chrono::duration_cast<seconds>(span).count(), static_cast<std::int64_t>(longest));
    }
    if (lifetime <= 0) return std::nullopt;
    // What a cache on the way has used up (RFC 9111 §5.1).
    const auto age = static_cast<std::int64_t>(delta_seconds(trim_ows(fields.age)).value_or(0));
    return seconds(std::max<std::int64_t>(lifetime - age, 1));
}

}  // namespace signet::keys
