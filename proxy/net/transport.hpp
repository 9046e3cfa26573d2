// One TCP connection, with TLS on it or without. The plain path pays one branch for the other.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string_view>

#include "net/asio.hpp"

namespace signet::net {

struct IoResult {
    error_code error;
    std::size_t bytes = 0;
};

using WriteParts = std::array<asio::const_buffer, 3>;

class Transport {
  public:
    explicit Transport(Socket socket) : socket_(std::move(socket)) {}
    Transport(Transport&&) = delete;

    Socket& socket() { return socket_; }
    [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }

    // Small writes at once; the caller writes whole heads and bodies.
    void prepare() {
        error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        socket_.non_blocking(true, ignored);
    }

    void use_tls(asio::ssl::context& context) { tls_ = std::make_unique<TlsStream>(socket_, context); }
    SSL* native_tls() { return tls_->native_handle(); }
    Task<error_code> handshake(asio::ssl::stream_base::handshake_type role);

    // Up to one read's worth. error eof: the peer is done.
    Task<IoResult> read_some(asio::mutable_buffer into);
    // As much as goes without waiting; 0 with TLS. error would_block is not reported.
    IoResult try_write(const WriteParts& parts);
    // All of it, waiting where needed.
    Task<error_code> write_all(WriteParts parts);
    // Has the peer closed, or sent what nobody asked for, while the connection lay idle?
    [[nodiscard]] bool is_quiet();

    // Has the peer ended its direction, or the connection, with nothing left to read?
    [[nodiscard]] bool peer_left();

    // Ends our direction: FIN, after a TLS close_notify if that goes at once.
    void shutdown_send();
    void cancel();
    void close();
    void reset();  // so that the peer cannot take it for an orderly end

  private:
    using TlsStream = asio::ssl::stream<Socket&>;
    Socket socket_;
    std::unique_ptr<TlsStream> tls_;
};

// Drops `n` bytes from the front.
void advance(WriteParts& parts, std::size_t n);
std::size_t size_of(const WriteParts& parts);

}  // namespace signet::net
