#include "net/cidr.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <string>

#include "base/text.hpp"

namespace signet::net {
namespace {

bool same_bits(const AddressBytes& a, const AddressBytes& b, unsigned bits) {
    for (unsigned i = 0; i < 16 && bits != 0; ++i) {
        const unsigned here = bits < 8 ? bits : 8;
        const auto mask = static_cast<std::uint8_t>(0xFF00u >> here);
        if ((a[i] & mask) != (b[i] & mask)) return false;
        bits -= here;
    }
    return true;
}

}  // namespace

result<AddressBytes> parse_address(std::string_view text) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(std::string(text), error);
    if (error) return fault("'" + std::string(text) + "' is not an IP address");
    if (address.is_v6()) return address.to_v6().to_bytes();
    return boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4()).to_bytes();
}

result<Cidr> Cidr::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return address.error();
    Cidr out;
    out.network_ = *address;
    if (slash == std::string_view::npos) return out;
    const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
    const auto bits = parse_decimal(text.substr(slash + 1));
    if (!bits || *bits > (v4 ? 32u : 128u))
        return fault("'" + std::string(text) + "' has no good prefix length");
    out.bits_ = static_cast<unsigned>(*bits) + (v4 ? 96 : 0);
    return out;
}

bool Cidr::contains(const AddressBytes& address) const { return same_bits(network_, address, bits_); }

bool any_contains(const std::vector<Cidr>& blocks, const AddressBytes& address) {
    return std::ranges::any_of(blocks, [&](const Cidr& block) { return block.contains(address); });
}

// "192.0.2.1:4711", "[2001:db8::1]:4711", "[2001:db8::1]"
static std::string_view without_port(std::string_view text) {
    if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
    const auto colon = text.find(':');
    return colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos
               ? text.substr(0, colon)
               : text;
}

std::string_view client_behind(const std::vector<Cidr>& trusted, std::string_view forwarded_for,
                               std::string_view peer) {
    while (!forwarded_for.empty()) {
        const auto comma = forwarded_for.rfind(',');
        const auto text =
            trim_ows(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
        const auto bare = without_port(text);
        // A zone is for whoever is on the same link, and Asio takes any text for one.
        const auto address = bare.find('%') == std::string_view::npos ? parse_address(bare) : fault("a zone");
        if (!address) break;
        peer = bare;
        if (comma == std::string_view::npos || !any_contains(trusted, *address)) break;
        forwarded_for = forwarded_for.substr(0, comma);
    }
    return peer;
}

bool is_link_local(const AddressBytes& a) {
    static const auto v4 = *Cidr::parse("169.254.0.0/16");
    static const auto v6 = *Cidr::parse("fe80::/10");
    static const auto nat64 = *Cidr::parse("64:ff9b::/96");  // RFC 6052: an IPv4 address in its last bytes
    if (nat64.contains(a)) {
        AddressBytes inside{};
        inside[10] = inside[11] = 0xFF;
        std::copy(a.begin() + 12, a.end(), inside.begin() + 12);
        return v4.contains(inside);
    }
    return v4.contains(a) || v6.contains(a);
}

bool is_loopback(const AddressBytes& a) {
    static const auto v4 = *Cidr::parse("127.0.0.0/8");
    static const auto v6 = *Cidr::parse("::1");
    return v4.contains(a) || v6.contains(a);
}

}  // namespace signet::net
