// Where we listen, whom we forward to, how long we wait: settings, immutable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/upstream_head.hpp"
#include "net/cidr.hpp"

namespace signet::net {

struct Address {
    std::string host;  // an IP address, without brackets
    std::uint16_t port = 0;
    friend bool operator==(const Address&, const Address&) = default;
};

struct ListenerTls {
    std::string certificate_file;
    std::string private_key_file;
    friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
    [[nodiscard]] bool enabled() const { return !certificate_file.empty(); }
};

struct Endpoint {
    std::string host;  // name or IP address, without brackets
    std::uint16_t port = 80;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct UpstreamSettings {
    std::string name;
    bool tls = false;
    std::vector<Endpoint> endpoints;  // taken in turn
    std::string ca_file;
    http::UpstreamForm form;
    milliseconds connect_timeout{5000};
    milliseconds response_timeout{60000};
    milliseconds idle_timeout{4000};
};

struct Timeouts {
    milliseconds client_header{10000};
    milliseconds client_idle{75000};
    milliseconds body{60000};
    milliseconds tunnel{3600000};
    milliseconds shutdown_delay{0};
    milliseconds drain{20000};
};

struct Settings {
    Address listen;
    ListenerTls tls;
    std::vector<UpstreamSettings> upstreams;
    std::vector<Cidr> trusted_proxies;
    Timeouts timeouts;
    std::size_t max_connections = 10000;
    bool access_log = true;

    // By upstream index.
    [[nodiscard]] std::vector<const http::UpstreamForm*> forms() const {
        std::vector<const http::UpstreamForm*> out;
        for (const auto& upstream : upstreams) out.push_back(&upstream.form);
        return out;
    }
};

}  // namespace signet::net
