// An IP address and a port, as sockets take it.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "net/cidr.hpp"

namespace signet::net {

class SocketAddress {
  public:
    SocketAddress() = default;
    SocketAddress(const sockaddr* address, socklen_t size);
    // host: an IP address without brackets, IPv6 with a %zone maybe.
    static std::optional<SocketAddress> parse(const std::string& host, std::uint16_t port);

    [[nodiscard]] int family() const { return any_.family.sa_family; }
    [[nodiscard]] const sockaddr* data() const { return &any_.family; }
    [[nodiscard]] socklen_t size() const;

    [[nodiscard]] AddressBytes bytes() const;  // IPv4 as ::ffff:a.b.c.d
    // Without the port; a mapped IPv4 address (::ffff:a.b.c.d) as IPv4.
    [[nodiscard]] std::string host() const;
    [[nodiscard]] std::uint16_t port() const;

  private:
    union {
        sockaddr family;
        sockaddr_in v4;
        sockaddr_in6 v6;
    } any_{};
};

}  // namespace signet::net
