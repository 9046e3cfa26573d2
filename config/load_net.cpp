#include <algorithm>

#include "base/text.hpp"
#include "config/load_parts.hpp"

namespace signet::config {
namespace {

void load_listen(Section& root, Configuration& out) {
    const auto node = root.node("listen");
    const auto set_address = [&](const std::string& text, auto&& error) {
        const auto address = parse_listen_address(text);
        if (address)
            out.net->listen = *address;
        else
            error(address.error().message);
    };
    if (!node) {
        out.net->listen = {"0.0.0.0", 8080};
        return;
    }
    if (!node->IsMap()) {
        std::string text;
        root.text("listen", text);
        return set_address(text, [&](const std::string& m) { root.error("listen", m); });
    }
    auto listen = *root.section("listen");
    std::string text = "0.0.0.0:8080";
    listen.text("address", text);
    set_address(text, [&](const std::string& m) { listen.error("address", m); });
    if (auto tls = listen.section("tls")) {
        auto& files = out.net->tls;
        tls->text("certificate_file", files.certificate_file);
        tls->text("private_key_file", files.private_key_file);
        if (files.certificate_file.empty() || files.private_key_file.empty())
            tls->error_here("tls needs certificate_file and private_key_file");
        if (tls->has("client_ca_file"))
            tls->not_in_this_build("client_ca_file", "verification of client certificates");
        if (const auto c = tls->choice("client_certificate", {"none", "optional", "required"}); c && *c != 0)
            tls->not_in_this_build("client_certificate", "verification of client certificates");
        tls->finish();
    }
    listen.finish();
}

void load_admin(Section& root, Configuration& out) {
    std::string text = "127.0.0.1:9901";
    const auto node = root.node("admin");
    if (node && node->IsMap()) {
        auto admin = *root.section("admin");
        admin.text("address", text);
        admin.text("token_file", out.admin.token_file);
        admin.finish();
    } else if (node) {
        root.text("admin", text);
    }
    if (text == "off") {
        out.admin_address.reset();
        return;
    }
    const auto address = parse_listen_address(text, true);
    if (!address) return root.error("admin", address.error().message);
    out.admin_address = *address;
    if (text.find(':') != std::string::npos) {
        const auto name = text.substr(0, text.rfind(':'));
        if (!net::parse_address(name)) out.admin.host_name = to_lower(name);
    }
    const auto ip = net::parse_address(address->host);
    out.admin.api = !out.admin.token_file.empty() || (ip && net::is_loopback(*ip));
    if (!out.admin.api)
        root.warn(
            "admin",
            "without admin.token_file there is no /v1 on an address that is not loopback; name a token_file");
}

void load_endpoints(Section& s, net::UpstreamSettings& upstream) {
    std::vector<std::string> urls;
    std::string single;
    s.text("url", single);
    s.texts("urls", urls);
    if (!single.empty() && !urls.empty()) s.error("urls", "both url and urls; keep one");
    if (!single.empty()) urls = {single};
    if (urls.empty()) s.error_here("an upstream needs `url`");
    const char* key = single.empty() ? "urls" : "url";
    bool first = true;
    for (const auto& text : urls) {
        const auto url = parse_url(text);
        if (!url) {
            s.error(key, url.error().message);
            continue;
        }
        auto prefix = url->path;
        while (prefix.ends_with('/')) prefix.pop_back();
        if (!first && (upstream.tls != url->https || upstream.form.path_prefix != prefix))
            s.error(key, "the urls of one upstream have the same scheme and path");
        upstream.tls = url->https;
        upstream.form.path_prefix = prefix;
        upstream.endpoints.push_back({url->host, url->port});
        first = false;
    }
}

std::string authority(const net::Endpoint& e, bool tls) {
    std::string out = e.host.find(':') == std::string::npos ? e.host : "[" + e.host + "]";
    if (e.port != (tls ? 443 : 80)) out += ":" + std::to_string(e.port);
    return out;
}

void load_upstream(Section& s, net::UpstreamSettings& upstream, http::HeaderNames& names) {
    load_endpoints(s, upstream);
    s.text("ca_file", upstream.ca_file);
    if (!upstream.ca_file.empty() && !upstream.tls && !upstream.endpoints.empty())
        s.error("ca_file", "ca_file is for https:// upstreams");
    std::string host = "preserve";
    s.text("host", host);
    if (host == "upstream") {
        if (!upstream.endpoints.empty())
            upstream.form.host = authority(upstream.endpoints.front(), upstream.tls);
    } else if (host != "preserve") {
        if (http::is_valid_host(host))
            upstream.form.host = host;
        else
            s.error("host", "host is preserve, upstream, or a host name");
    }
    s.limit("connect_timeout", upstream.connect_timeout);
    s.limit("response_timeout", upstream.response_timeout);
    s.duration("idle_timeout", upstream.idle_timeout);
    upstream.form.added_lines = load_fixed_headers(s, "request_headers_to_add", names);
    s.finish();
}

}  // namespace

std::vector<std::string> split_names(const std::string& lines) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < lines.size(); at = lines.find("\r\n", at) + 2)
        out.push_back(lines.substr(at, lines.find(':', at) - at));
    return out;
}

std::string load_fixed_headers(Section& s, const char* key, http::HeaderNames& names) {
    std::string out;
    const auto node = s.node(key);
    if (!node) return out;
    if (!node->IsMap()) {
        s.error(key, std::string(key) + " is a mapping of names to values");
        return out;
    }
    for (const auto& item : *node) {
        const auto name = s.reader().text(item.first, "a header name");
        const auto value = s.reader().text(item.second, "a header value");
        if (!name || !value) continue;
        const bool plain = std::ranges::none_of(
            *value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
        if (!is_header_name(*name) || !(may_be_claim_header(*name) || iequals(*name, "Authorization"))) {
            s.reader().error(item.first, "'" + *name + "' cannot be set here");
        } else if (!plain || trim_ows(*value).size() != value->size()) {
            s.reader().error(item.second,
                             "a header value has no control characters and no outer white space");
        } else {
            names.remove(*name, http::Drop::always);  // ours takes the place of the client's
            for (const auto& line : split_names(out))
                if (http::flat_equal(line, *name))
                    s.reader().error(item.first, "'" + *name + "' comes twice");
            out += *name + ": " + *value + "\r\n";
        }
    }
    return out;
}

Names load_upstreams(Section& root, Configuration& out) {
    Names names;
    auto& header_names = out.rules->http.names;
    const bool single = root.has("upstream"), many = root.has("upstreams");
    if (single && many) root.error("upstream", "both upstream and upstreams; keep one");
    if (!single && !many) root.error_here("`upstream` is needed: the URL of the service to forward to");
    const auto add = [&](const std::string& name, net::UpstreamSettings upstream) {
        upstream.name = name;
        names.emplace(name, static_cast<std::uint16_t>(out.net->upstreams.size()));
        out.net->upstreams.push_back(std::move(upstream));
    };
    if (single && !many) {
        std::string url;
        root.text("upstream", url);
        YAML::Node map(YAML::NodeType::Map);
        net::UpstreamSettings upstream;
        const auto parsed = parse_url(url);
        if (!parsed) {
            root.error("upstream", parsed.error().message);
        } else {
            upstream.tls = parsed->https;
            upstream.form.path_prefix = parsed->path;
            while (upstream.form.path_prefix.ends_with('/')) upstream.form.path_prefix.pop_back();
            upstream.endpoints = {{parsed->host, parsed->port}};
        }
        add("default", std::move(upstream));
    }
    if (const auto node = root.node("upstreams"); node && node->IsMap()) {
        auto upstreams = *root.section("upstreams");
        for (const auto& item : *node) {
            if (!item.first.IsScalar()) continue;
            const auto& name = item.first.Scalar();
            if (names.contains(name)) continue;  // twice: the section has said so
            upstreams.node(name.c_str());
            Section section(root.reader(), item.second, "upstreams." + name);
            net::UpstreamSettings upstream;
            if (item.second.IsMap()) load_upstream(section, upstream, header_names);
            add(name, std::move(upstream));
        }
        if (names.empty()) root.error("upstreams", "`upstreams` is empty");
    } else if (node) {
        root.error("upstreams", "upstreams is a mapping of names to upstreams");
    }
    const auto global = load_fixed_headers(root, "request_headers_to_add", header_names);
    for (auto& upstream : out.net->upstreams) {
        for (const auto& own : split_names(upstream.form.added_lines))
            for (const auto& common : split_names(global))
                if (http::flat_equal(own, common))
                    root.error("request_headers_to_add",
                               "'" + own + "' is added for all and for upstream " + upstream.name);
        upstream.form.added_lines.insert(0, global);
    }
    return names;
}

void load_listeners(Section& root, Configuration& out) {
    load_listen(root, out);
    load_admin(root, out);
    std::string health = "off";
    root.text("health", health);
    if (health != "off") {
        const auto address = parse_listen_address(health);
        if (address)
            out.health_address = *address;
        else
            root.error("health", address.error().message);
    }
    auto& t = out.net->timeouts;
    if (auto s = root.section("timeouts")) {
        s->limit("client_header", t.client_header);
        s->limit("client_idle", t.client_idle);
        s->limit("body", t.body);
        s->limit("tunnel", t.tunnel);
        s->duration("shutdown_delay", t.shutdown_delay);
        s->duration("drain", t.drain);
        s->finish();
    }
    if (auto s = root.section("limits")) {
        s->size("max_header_bytes", out.rules->http.limits.max_bytes);
        if (out.rules->http.limits.max_bytes < 1024 || out.rules->http.limits.max_bytes > 1024 * 1024)
            s->error("max_header_bytes", "max_header_bytes is from 1KiB to 1MiB");
        s->count("max_headers", out.rules->http.limits.max_fields, 1, 1000);
        s->count("max_connections", out.net->max_connections, 1, 1'000'000);
        s->finish();
    }
    std::vector<std::string> proxies;
    root.texts("trusted_proxies", proxies);
    for (const auto& text : proxies) {
        const auto cidr = net::Cidr::parse(text);
        if (cidr)
            out.net->trusted_proxies.push_back(*cidr);
        else
            root.error("trusted_proxies", cidr.error().message);
    }
}

}  // namespace signet::config
