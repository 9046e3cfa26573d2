#include "net/http_proxy.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>

#include "base/text.hpp"

namespace signet::net {
namespace {

result<HttpProxy> parse_proxy(const std::string& variable, const std::string& value) {
    const auto wrong = [&](const std::string& why) {
        // Not the value: it may hold a password.
        return fault(variable + ": " + why +
                     "; it should be http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, special characters "
                     "%-encoded");
    };
    const std::string url = value.find("://") == std::string::npos ? "http://" + value : value;
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || !parsed->has_authority()) return wrong("it is not a URL");
    if (!iequals(std::string(parsed->scheme()), "http"))
        return wrong("only proxies that speak plain http are supported");
    HttpProxy out;
    out.endpoint.host = std::string(parsed->encoded_host());
    if (out.endpoint.host.starts_with('['))
        out.endpoint.host = out.endpoint.host.substr(1, out.endpoint.host.size() - 2);
    if (out.endpoint.host.empty() || out.endpoint.host.find('%') != std::string::npos)
        return wrong("it names no host");
    const std::string path(parsed->encoded_path());
    const auto port =
        parsed->has_port() ? parse_decimal(std::string(parsed->port())) : std::optional<std::uint64_t>(80);
    if (!port || *port == 0 || *port > 65535) return wrong("its port cannot be read");
    if ((!path.empty() && path != "/") || parsed->has_query() || parsed->has_fragment())
        return wrong("more follows than host and port");
    out.endpoint.port = static_cast<std::uint16_t>(*port);
    if (parsed->has_userinfo())
        out.authorization = "Basic " + to_base64(parsed->user() + ":" + parsed->password());
    return out;
}

}  // namespace

result<ProxyRules> ProxyRules::from(const Environment& environment) {
    const auto name_of = [&](const char* small, const char* capital) {
        return environment(small) ? std::string(small) : std::string(capital);
    };
    ProxyRules out;
    const auto variable = name_of("https_proxy", "HTTPS_PROXY");
    const auto proxy = environment(variable).value_or("");
    if (proxy.empty()) return out;
    auto parsed = parse_proxy(variable, proxy);
    if (!parsed) return parsed.error();
    out.proxy_ = std::move(*parsed);

    auto list = environment(name_of("no_proxy", "NO_PROXY")).value_or("");
    std::ranges::replace(list, ' ', ',');
    for_each_element(list, [&](std::string_view entry) {
        if (entry.empty()) return;
        if (entry == "*") {
            out.never_ = true;
            return;
        }
        Exception e;
        const auto colon = entry.rfind(':');
        const bool ipv6 = entry.find(':') != colon && !entry.starts_with('[');
        if (colon != std::string_view::npos && !ipv6 && parse_decimal(entry.substr(colon + 1))) {
            e.port = entry.substr(colon + 1);
            entry = entry.substr(0, colon);
        }
        if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
        if (const auto block = Cidr::parse(entry)) {
            e.block = *block;
        } else {
            if (entry.starts_with("*.")) entry.remove_prefix(1);
            if (entry.starts_with('.')) entry.remove_prefix(1);
            if (entry.ends_with('.')) entry.remove_suffix(1);
            if (entry.empty()) return;
            e.domain = to_lower(entry);
        }
        out.exceptions_.push_back(std::move(e));
    });
    return out;
}

const HttpProxy* ProxyRules::find(std::string_view host, std::string_view port) const {
    if (!proxy_ || never_) return nullptr;
    const auto address = parse_address(host);
    auto name = to_lower(host);
    if (name.ends_with('.')) name.pop_back();
    if (name == "localhost" || (address && is_loopback(*address))) return nullptr;
    for (const auto& e : exceptions_) {
        if (!e.port.empty() && e.port != port) continue;
        if (e.block ? address && e.block->contains(*address)
                    : name == e.domain || (name.size() > e.domain.size() && name.ends_with(e.domain) &&
                                           name[name.size() - e.domain.size() - 1] == '.'))
            return nullptr;
    }
    return &*proxy_;
}

}  // namespace signet::net
