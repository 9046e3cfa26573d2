// The small languages inside scalars: durations, sizes, addresses, ${NAME}. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/settings.hpp"

namespace signet::config {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

result<std::string> substitute(std::string_view text, const Environment& environment);

result<milliseconds> parse_duration(std::string_view text);  // 500ms 30s 10m 24h
result<std::size_t> parse_size(std::string_view text);       // 512 512B 16KiB 16MiB 1GiB
// 0.0.0.0:8080 [::]:8080 :8080 localhost:9901; named: a host name too, looked up when the listener opens.
result<net::Address> parse_listen_address(std::string_view text, bool named = false);

struct Url {
    bool https = false;
    std::string host;  // without brackets
    std::uint16_t port = 0;
    std::string path;  // "" or "/…"
};
result<Url> parse_url(std::string_view text);  // http and https, no user, query or fragment

}  // namespace signet::config
