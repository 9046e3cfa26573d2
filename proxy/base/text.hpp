// ASCII text, as HTTP and OAuth use it. No locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signet {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alnum(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

// 0..15, or -1.
constexpr int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
    return -1;
}

constexpr bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

// Optional white space of RFC 9110 §5.6.3: space and tab.
constexpr std::string_view trim_ows(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    return s;
}

std::string to_lower(std::string_view s);
std::string to_hex(std::string_view bytes);
std::string to_base64(std::string_view bytes);  // RFC 4648 §4, padded

// Digits only, no sign; nullopt on anything else or overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view s);

// Calls f(part) for each comma-separated element, trimmed; empty ones too (RFC 9110 §5.6.1).
template <class F>
constexpr void for_each_element(std::string_view list, F&& f) {
    while (true) {
        const auto comma = list.find(',');
        f(trim_ows(list.substr(0, comma)));
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

// The candidate closest to `word` by edit distance, if close enough to be what was meant.
std::optional<std::string_view> closest(std::string_view word, const std::string_view* first,
                                        const std::string_view* last);

// Compares secrets: takes as long wherever they differ.
inline bool same_secret(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    volatile unsigned char difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

// RFC 3339 in UTC, with milliseconds.
std::string rfc3339(std::int64_t unix_milliseconds);
// RFC 3339 (any offset, seconds may have a fraction) or plain Unix seconds -> Unix milliseconds.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace signet
