#include "config/values.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/text.hpp"

namespace signet::config {

result<std::string> substitute(std::string_view text, const Environment& environment) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$') {
            out += text[i];
            continue;
        }
        if (i + 1 < text.size() && text[i + 1] == '$') {
            out += '$';
            ++i;
            continue;
        }
        const auto end =
            i + 1 < text.size() && text[i + 1] == '{' ? text.find('}', i) : std::string_view::npos;
        if (end == std::string_view::npos) return fault("a lone '$'; write '$$' for one, or ${NAME}");
        const auto inside = text.substr(i + 2, end - i - 2);
        const auto fallback = inside.find(":-");
        const std::string name(inside.substr(0, fallback));
        if (name.empty()) return fault("${} names no variable");
        const auto value = environment(name);
        if (fallback != std::string_view::npos) {
            out += value && !value->empty() ? *value : std::string(inside.substr(fallback + 2));
        } else if (value) {
            out += *value;
        } else {
            return fault("the environment variable " + name +
                         " is not set; set it, or write ${NAME:-default}");
        }
        i = end;
    }
    return out;
}

namespace {

struct Unit {
    std::string_view suffix;
    std::uint64_t factor;
};

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text, const Unit (&units)[N]) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    const auto number = parse_decimal(text.substr(0, digits));
    if (!number) return std::nullopt;
    for (const auto& unit : units) {
        if (unit.suffix != text.substr(digits)) continue;
        if (unit.factor != 0 && *number > (std::uint64_t{1} << 50) / unit.factor) return std::nullopt;
        return *number * unit.factor;
    }
    return std::nullopt;
}

}  // namespace

result<milliseconds> parse_duration(std::string_view text) {
    static constexpr Unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
    const auto ms = with_unit(text, units);
    if (!ms) return fault("'" + std::string(text) + "' is not a duration such as 500ms, 30s, 10m or 24h");
    // Clocks count nanoseconds in 64 bits: sums with more would wrap.
    if (*ms > 87'600ull * 3'600'000) return fault("'" + std::string(text) + "' is longer than ten years");
    return milliseconds{static_cast<std::int64_t>(*ms)};
}

result<std::size_t> parse_size(std::string_view text) {
    static constexpr Unit units[] = {
        {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}};
    const auto bytes = with_unit(text, units);
    if (!bytes) return fault("'" + std::string(text) + "' is not a size such as 512, 16KiB, 16MiB or 1GiB");
    return static_cast<std::size_t>(*bytes);
}

result<net::Address> parse_listen_address(std::string_view text, bool named) {
    const auto colon = text.rfind(':');
    const auto port = colon == std::string_view::npos ? std::nullopt : parse_decimal(text.substr(colon + 1));
    if (!port || *port > 65535)
        return fault("'" + std::string(text) + "' is not address:port, such as 0.0.0.0:8080 or [::]:8080");
    auto host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (host == "[]" || (!bracketed && host.find(':') != std::string_view::npos))
        return fault("'" + std::string(text) + "': an IPv6 address stands in brackets, such as [::]:8080");
    if (bracketed) host = host.substr(1, host.size() - 2);
    net::Address out{std::string(host), static_cast<std::uint16_t>(*port)};
    if (out.host.empty()) out.host = "0.0.0.0";
    if (out.host == "localhost") out.host = "127.0.0.1";
    if (!net::parse_address(out.host) && !(named && http::is_valid_host(out.host)))
        return fault("'" + std::string(host) + "' is not an IP address to listen on");
    return out;
}

result<Url> parse_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed) return fault("'" + std::string(text) + "' is not a URL");
    const auto& url = *parsed;
    Url out;
    const std::string scheme(url.scheme());
    out.https = iequals(scheme, "https");
    if (!out.https && !iequals(scheme, "http"))
        return fault("'" + std::string(text) + "' is neither http:// nor https://");
    if (url.has_userinfo()) return fault("a URL with a user in it is not accepted here");
    if (url.has_query() || url.has_fragment())
        return fault("a URL with a query or fragment is not accepted here");
    // As text: Boost.URL lets a wrong port run into the path, a number wrap, and %2F into a host.
    const std::string path(url.encoded_path()), port(url.port());
    const auto number = parse_decimal(port);
    if ((!path.empty() && path.front() != '/') ||
        (url.has_port() && (!number || *number == 0 || *number > 65535)))
        return fault("'" + std::string(text) + "' has no valid port");
    out.host = std::string(url.encoded_host());
    if (out.host.find('%') != std::string::npos)
        return fault("'" + std::string(text) + "' has no plain host name");
    if (out.host.starts_with('[') && out.host.ends_with(']'))
        out.host = out.host.substr(1, out.host.size() - 2);
    if (out.host.empty()) return fault("'" + std::string(text) + "' names no host");
    out.port = number ? static_cast<std::uint16_t>(*number) : out.https ? 443 : 80;
    out.path = path;
    return out;
}

}  // namespace signet::config
