#include "http/credential.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/cookie.hpp"

namespace signet::http {
namespace {

class Search {
  public:
    void found(TokenText text, CredentialPlace place) {
        if (!result_.found) {
            result_.found = Credential{text, place};
        } else if (result_.found->text != text) {
            result_.multiple = true;
        } else if (rank(place) < rank(result_.found->place)) {
            result_.found->place = place;
        }
    }
    void twice() { result_.multiple = true; }
    [[nodiscard]] const CredentialSearch& result() const { return result_; }

  private:
    static int rank(CredentialPlace p) {
        return p == CredentialPlace::header ? 0 : p == CredentialPlace::param ? 1 : 2;
    }
    CredentialSearch result_;
};

// nullopt: another scheme, so no token.
std::optional<std::string_view> after_prefix(std::string_view value, std::string_view prefix) {
    const auto bare = trim_ows(prefix);
    if (prefix.size() != bare.size() && iequals(value, bare))
        return std::string_view{};  // "Bearer" and nothing behind it
    // RFC 9110 §11.4: one space or more. Another separator is no other scheme to who splits at white space.
    if (prefix.size() != bare.size() && value.size() > bare.size() && value[bare.size()] == '\t' &&
        iequals(value.substr(0, bare.size()), bare))
        return std::string_view{};
    if (value.size() < prefix.size() || !iequals(value.substr(0, prefix.size()), prefix)) return std::nullopt;
    return trim_ows(value.substr(prefix.size()));
}

bool is_named(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

// f(name as it stands, value as it stands, the whole parameter)
template <class F>
void for_each_param(std::string_view query, F&& f) {
    if (query.empty()) return;
    query.remove_prefix(1);  // '?'
    while (true) {
        const auto end = query.find('&');
        const auto text = query.substr(0, end);
        const auto equals = text.find('=');
        f(text.substr(0, equals),
          equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1), text);
        if (end == std::string_view::npos) return;
        query.remove_prefix(end + 1);
    }
}

bool names_param(const std::vector<std::string>& names, std::string_view raw) {
    if (raw.find('%') == std::string_view::npos) return is_named(names, raw);
    return is_named(names, percent_decoded(raw));  // as the upstream would read it
}

}  // namespace

CredentialSearch find_credential(const RequestHead& head, std::string_view query, const Extraction& places,
                                 std::string& decoded) {
    Search search;
    std::uint32_t seen_headers = 0;
    int seen_authorization = 0;
    for (const auto& field : head.fields) {
        if (field.kind.id == HeaderId::authorization && ++seen_authorization == 2) search.twice();
        if (field.kind.token_source >= 0) {
            const auto& place = places.headers[static_cast<std::size_t>(field.kind.token_source)];
            const std::uint32_t bit = 1u << field.kind.token_source;
            if ((seen_headers & bit) != 0) search.twice();
            seen_headers |= bit;
            if (const auto token = after_prefix(field.value, place.value_prefix))
                search.found(TokenText(*token), CredentialPlace::header);
        }
    }
    for (const auto& name : places.cookies) {
        int times = 0;
        for (const auto& field : head.fields) {
            if (field.kind.id != HeaderId::cookie) continue;
            for_each_cookie(field.value, [&](const CookiePair& cookie) {
                if (cookie.name != name) return;
                if (++times == 2) search.twice();
                search.found(TokenText(cookie.value), CredentialPlace::cookie);
            });
        }
    }
    if (!places.params.empty()) {
        int times = 0;
        for_each_param(query, [&](std::string_view name, std::string_view value, std::string_view) {
            if (!names_param(places.params, name)) return;
            // Also under two names: what is decoded has room for one.
            if (++times == 2) search.twice();
            if (value.find('%') == std::string_view::npos) {
                search.found(TokenText(value), CredentialPlace::param);
            } else if (times == 1) {
                decoded = percent_decoded(value);
                search.found(TokenText(decoded), CredentialPlace::param);
            }
        });
    }
    return search.result();
}

bool carries_token(std::string_view value, std::string_view prefix) {
    return after_prefix(value, prefix).has_value();
}

std::string without_params(std::string_view query, const std::vector<std::string>& names) {
    std::string out;
    for_each_param(query, [&](std::string_view name, std::string_view, std::string_view text) {
        if (names_param(names, name)) return;
        out += out.empty() ? '?' : '&';
        out += text;
    });
    return out;
}

}  // namespace signet::http
