// Cookies in a request (RFC 6265 §4.2.1), read where they stand. Every function is linear in the field's
// length (CVE-2023-28625, CVE-2024-24814).
#pragma once

#include <string>
#include <string_view>

#include "base/text.hpp"

namespace signet::http {

struct CookiePair {
    // Without the white space around '=': readers of cookies trim it, so `a =x` is a cookie named a to them.
    std::string_view name;
    std::string_view value;
    std::string_view text;  // the whole pair as it stands between semicolons, white space included
};

// f(CookiePair) for each pair of one Cookie field.
template <class F>
void for_each_cookie(std::string_view field, F&& f);

// The field without the cookies named (predicate on the name): the rest byte for byte, with the separator
// that belonged to a removed pair gone too.
template <class Predicate>
std::string without_cookies(std::string_view field, Predicate&& is_removed);

// ---- implementation ----

template <class F>
void for_each_cookie(std::string_view field, F&& f) {
    while (true) {
        const auto end = field.find(';');
        const auto text = field.substr(0, end);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos)
            f(CookiePair{trim_ows(text.substr(0, equals)), trim_ows(text.substr(equals + 1)), text});
        else
            f(CookiePair{trim_ows(text), {}, text});
        if (end == std::string_view::npos) return;
        field.remove_prefix(end + 1);
    }
}

template <class Predicate>
std::string without_cookies(std::string_view field, Predicate&& is_removed) {
    std::string out;
    out.reserve(field.size());
    bool first = true, kept_any = false;
    for_each_cookie(field, [&](const CookiePair& cookie) {
        if (!is_removed(cookie.name)) {
            auto text = cookie.text;
            if (!first &&
                !kept_any)  // what stood before it is gone, and so is the white space after that separator
                while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
            if (kept_any) out += ';';
            out += text;
            kept_any = true;
        }
        first = false;
    });
    return out;
}

}  // namespace signet::http
