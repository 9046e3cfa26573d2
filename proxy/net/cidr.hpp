// A block of IP addresses, "10.0.0.0/8" or one address.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace signet::net {

using AddressBytes = std::array<std::uint8_t, 16>;  // IPv6; IPv4 as ::ffff:a.b.c.d

class Cidr {
  public:
    static result<Cidr> parse(std::string_view text);
    [[nodiscard]] bool contains(const AddressBytes& address) const;

  private:
    AddressBytes network_{};
    unsigned bits_ = 128;
};

result<AddressBytes> parse_address(std::string_view text);
bool any_contains(const std::vector<Cidr>& blocks, const AddressBytes& address);

// Who began it, seen from behind trusted proxies: the last address of X-Forwarded-For's list (its lines
// joined by commas) that is not in `trusted`, or the first of the list where all are; what is no address ends
// the search. A port behind it is left out. `peer` where there is none.
std::string_view client_behind(const std::vector<Cidr>& trusted, std::string_view forwarded_for,
                               std::string_view peer);
bool is_link_local(const AddressBytes& address);  // 169.254/16, fe80::/10
bool is_loopback(const AddressBytes& address);

}  // namespace signet::net
