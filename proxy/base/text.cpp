#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

namespace signet {

std::string to_lower(std::string_view s) {
    std::string out(s);
    for (char& c : out) c = lower(c);
    return out;
}

std::string to_base64(std::string_view bytes) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; ++k)
            three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k <= bytes.size() ? digits[(three >> (18 - 6 * k)) & 63] : '=';
    }
    return out;
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto b = static_cast<unsigned char>(c);
        out += digits[b >> 4];
        out += digits[b & 15];
    }
    return out;
}

std::optional<std::uint64_t> parse_decimal(std::string_view s) {
    if (s.empty() || !is_digit(s.front())) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    return value;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> last(b.size() + 1), row(b.size() + 1), before;
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    const auto same = [&](std::size_t i, std::size_t j) { return lower(a[i]) == lower(b[j]); };
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before = std::exchange(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
            if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::string_view> closest(std::string_view word, const std::string_view* first,
                                        const std::string_view* last) {
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
    for (auto it = first; it != last; ++it) {
        const auto d = edit_distance(word, *it);
        if (d < best_distance) {
            best = *it;
            best_distance = d;
        }
    }
    return best;
}

std::string rfc3339(std::int64_t unix_milliseconds) {
    using namespace std::chrono;
    const sys_time<milliseconds> t{milliseconds{unix_milliseconds}};
    const auto day = floor<days>(t);
    const year_month_day date{day};
    const hh_mm_ss time{t - day};
    char text[40];
    const int n =
        std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int{date.year()},
                      unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(time.hours().count()),
                      static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                      static_cast<int>(time.subseconds().count()));
    return {text, static_cast<std::size_t>(n)};
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    constexpr std::uint64_t last = 253402300799;  // 9999-12-31T23:59:59Z
    if (const auto plain = parse_decimal(text)) {
        if (*plain > last) return std::nullopt;
        return static_cast<std::int64_t>(*plain) * 1000;
    }
    // YYYY-MM-DDTHH:MM:SS[.fff](Z|+hh:mm|-hh:mm)
    if (text.size() < 20) return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t length) -> int {
        const auto n = parse_decimal(text.substr(at, length));
        return n ? static_cast<int>(*n) : -1;
    };
    if (text[4] != '-' || text[7] != '-' || lower(text[10]) != 't' || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    const int y = number(0, 4), mo = number(5, 2), d = number(8, 2);
    const int h = number(11, 2), mi = number(14, 2), s = number(17, 2);
    if (y < 0 || mo < 0 || d < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60)
        return std::nullopt;
    using namespace std::chrono;
    const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    if (!date.ok()) return std::nullopt;
    std::size_t at = 19;
    std::int64_t ms = 0;
    if (text[at] == '.') {
        std::int64_t scale = 100;
        const auto from = ++at;
        for (; at < text.size() && is_digit(text[at]); ++at, scale /= 10) ms += (text[at] - '0') * scale;
        if (at == from) return std::nullopt;
    }
    std::int64_t offset = 0;
    const auto zone = text.substr(at);
    if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
        const int zh = number(at + 1, 2), zm = number(at + 4, 2);
        if (zh < 0 || zh > 23 || zm < 0 || zm > 59) return std::nullopt;
        offset = (zh * 60 + zm) * (zone[0] == '+' ? 60 : -60);
    } else if (zone.size() != 1 || lower(zone[0]) != 'z') {
        return std::nullopt;
    }
    const auto base = sys_days{date}.time_since_epoch();
    const auto total = duration_cast<seconds>(base).count() + h * 3600 + mi * 60 + s - offset;
    if (total < 0) return std::nullopt;
    return total * 1000 + ms;
}

}  // namespace signet
