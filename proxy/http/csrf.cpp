#include "http/csrf.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace signet::http {
namespace {

// Is the Origin (RFC 6454 §6.2) that of the request itself: host and port, and scheme where that is known?
bool is_own_origin(std::string_view origin, std::string_view host, Scheme scheme) {
    const auto colon = origin.find("://");
    if (colon == std::string_view::npos) return false;
    const auto origin_scheme = origin.substr(0, colon);
    const bool secure = iequals(origin_scheme, "https");
    if (!secure && !iequals(origin_scheme, "http")) return false;
    if (scheme != Scheme::unknown && secure != (scheme == Scheme::https)) return false;
    const auto authority = origin.substr(colon + 3);
    if (!is_valid_host(authority) || host.empty()) return false;
    if (!iequals(host_without_port(authority), host_without_port(host))) return false;
    // Without a known scheme the Origin's own decides what an absent port means.
    const std::string_view default_port = secure ? "443" : "80";
    const auto port_or_default = [&](std::string_view h) {
        return port_of(h).empty() ? default_port : port_of(h);
    };
    return port_or_default(authority) == port_or_default(host);
}

}  // namespace

const char* check_csrf(const RequestHead& head, Scheme scheme, const Csrf& rules) {
    if (!rules.enforce) return nullptr;
    const bool safe = head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS";
    if (safe && head.upgrade.empty()) return nullptr;

    const HeaderField* origin = nullptr;
    const HeaderField* site = nullptr;
    for (const auto& field : head.fields) {
        const HeaderField** seen = field.kind.id == HeaderId::origin           ? &origin
                                   : field.kind.id == HeaderId::sec_fetch_site ? &site
                                                                               : nullptr;
        if (seen == nullptr) continue;
        if (*seen != nullptr) return "Origin or Sec-Fetch-Site comes twice";
        *seen = &field;
    }
    if (origin == nullptr && site == nullptr)
        return "a token from a cookie needs Sec-Fetch-Site or Origin here";
    const bool trusted = origin != nullptr && std::ranges::any_of(rules.trusted_origins, [&](const auto& t) {
                             return iequals(t, origin->value);
                         });
    if (trusted) return nullptr;
    if (site != nullptr && site->value != "same-origin" && site->value != "none")
        return "Sec-Fetch-Site names another site";
    if (origin != nullptr && !is_own_origin(origin->value, head.host, scheme))
        return "Origin names another site";
    return nullptr;
}

}  // namespace signet::http
