#include "net/address.hpp"

#include <arpa/inet.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>

namespace signet::net {

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size) {
    std::memcpy(&any_, address, std::min<std::size_t>(size, sizeof any_));
}

std::optional<SocketAddress> SocketAddress::parse(const std::string& host, std::uint16_t port) {
    boost::system::error_code error;
    const auto ip = boost::asio::ip::make_address(host, error);
    if (error) return std::nullopt;
    const boost::asio::ip::tcp::endpoint endpoint(ip, port);
    return SocketAddress(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
}

socklen_t SocketAddress::size() const { return family() == AF_INET6 ? sizeof any_.v6 : sizeof any_.v4; }

AddressBytes SocketAddress::bytes() const {
    AddressBytes out{};
    if (family() == AF_INET6) {
        std::memcpy(out.data(), &any_.v6.sin6_addr, out.size());
    } else {
        out[10] = out[11] = 0xFF;
        std::memcpy(out.data() + 12, &any_.v4.sin_addr, 4);
    }
    return out;
}

std::string SocketAddress::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (family() == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&any_.v6.sin6_addr)) {
        ::inet_ntop(AF_INET6, &any_.v6.sin6_addr, text.data(), text.size());
    } else {
        const auto all = bytes();
        ::inet_ntop(AF_INET, all.data() + 12, text.data(), text.size());
    }
    return text.data();
}

std::uint16_t SocketAddress::port() const {
    return ntohs(family() == AF_INET6 ? any_.v6.sin6_port : any_.v4.sin_port);
}

}  // namespace signet::net
