#include "net/transport.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>

namespace signet::net {
namespace {

constexpr auto as_result = asio::as_tuple(use_task);

}  // namespace

void advance(WriteParts& parts, std::size_t n) {
    for (auto& part : parts) {
        const auto here = std::min(n, part.size());
        part += here;
        n -= here;
    }
}

std::size_t size_of(const WriteParts& parts) {
    std::size_t n = 0;
    for (const auto& part : parts) n += part.size();
    return n;
}

Task<error_code> Transport::handshake(asio::ssl::stream_base::handshake_type role) {
    const auto [error] = co_await tls_->async_handshake(role, as_result);
    co_return error;
}

Task<IoResult> Transport::read_some(asio::mutable_buffer into) {
    if (tls_) {
        const auto [error, bytes] = co_await tls_->async_read_some(into, as_result);
        co_return IoResult{error, bytes};
    }
    const auto [error, bytes] = co_await socket_.async_read_some(into, as_result);
    co_return IoResult{error, bytes};
}

IoResult Transport::try_write(const WriteParts& parts) {
    if (tls_) return {};
    IoResult out;
    out.bytes = socket_.write_some(parts, out.error);
    if (out.error == asio::error::would_block) out.error = {};
    return out;
}

Task<error_code> Transport::write_all(WriteParts parts) {
    const auto now = try_write(parts);
    if (now.error) co_return now.error;
    advance(parts, now.bytes);
    while (size_of(parts) != 0) {
        if (tls_) {
            const auto [error, bytes] = co_await tls_->async_write_some(parts, as_result);
            if (error) co_return error;
            advance(parts, bytes);
        } else {
            const auto [error, bytes] = co_await socket_.async_write_some(parts, as_result);
            if (error) co_return error;
            advance(parts, bytes);
        }
    }
    co_return error_code{};
}

bool Transport::is_quiet() {
    // Decrypted or undecrypted, what lies here already was not asked for. (Session tickets come ahead of the
    // first answer and are read with it; a late one costs a new connection.)
    if (tls_ && (SSL_has_pending(tls_->native_handle()) == 1 ||
                 BIO_ctrl_pending(SSL_get_rbio(tls_->native_handle())) != 0))
        return false;
    char byte = 0;
    const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool Transport::peer_left() {
    char byte = 0;
    const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

void Transport::shutdown_send() {
    if (tls_)
        SSL_shutdown(
            tls_->native_handle());  // into the BIO pair; flushed only if asio writes again, best effort
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void Transport::cancel() {
    error_code ignored;
    socket_.cancel(ignored);
}

void Transport::close() {
    error_code ignored;
    socket_.close(ignored);
}

void Transport::reset() {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

}  // namespace signet::net
