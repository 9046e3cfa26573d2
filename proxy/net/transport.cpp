#include "net/transport.hpp"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cstring>

namespace signet::net {
namespace {

constexpr std::size_t tls_record = 16 * 1024;

error_code from_errno() { return {errno, boost::system::system_category()}; }

bool must_wait() { return errno == EAGAIN || errno == EWOULDBLOCK; }

void send_at_once(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

error_code end_of_stream() { return boost::asio::error::eof; }
error_code operation_aborted() { return boost::asio::error::operation_aborted; }

void advance(WriteParts& parts, std::size_t n) {
    for (auto& part : parts) {
        const auto here = std::min(n, part.size());
        part.remove_prefix(here);
        n -= here;
    }
}

std::size_t size_of(const WriteParts& parts) {
    std::size_t n = 0;
    for (const auto& part : parts) n += part.size();
    return n;
}

Transport::Transport(Poller& poller, int descriptor) : watch_(poller), socket_(descriptor) {
    send_at_once(socket_);
    try {
        watch_.start(socket_);
    } catch (...) {
        ::close(socket_);  // no destructor will
        throw;
    }
}

bool Transport::use_tls(SSL_CTX* context) {
    tls_.reset(SSL_new(context));
    return tls_ && SSL_set_fd(tls_.get(), socket_) == 1;
}

Transport::Connect::Connect(Transport& transport, const SocketAddress& address) : transport_(transport) {
    transport.close();
    transport.socket_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (transport.socket_ < 0 ||
        (::connect(transport.socket_, address.data(), address.size()) != 0 && errno != EINPROGRESS)) {
        error_ = from_errno();
        return;
    }
    send_at_once(transport.socket_);
    transport.watch_.start(transport.socket_);
}

bool Transport::Connect::attempt() noexcept {
    if (!transport_.watch_.may_write()) return false;
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(transport_.socket_, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) error_ = {failure, boost::system::system_category()};
    return true;
}

bool Transport::Handshake::attempt() noexcept {
    ERR_clear_error();
    SSL* const tls = transport_.tls_.get();
    const int returned = role_ == Role::server ? SSL_accept(tls) : SSL_connect(tls);
    if (returned == 1) return true;
    error_ = transport_.tls_error(returned);
    return static_cast<bool>(error_);
}

error_code Transport::tls_error(int returned) {
    const int why = SSL_get_error(tls_.get(), returned);
    switch (why) {
        case SSL_ERROR_WANT_READ:
            watch_.read_all();
            return {};
        case SSL_ERROR_WANT_WRITE:
            watch_.wrote_all();
            return {};
        case SSL_ERROR_ZERO_RETURN:
            return end_of_stream();
        case SSL_ERROR_SYSCALL:
            return errno != 0 ? from_errno() : error_code(boost::asio::ssl::error::stream_truncated);
        default:
            return {static_cast<int>(ERR_get_error()), boost::asio::error::get_ssl_category()};
    }
}

Transport::Progress Transport::read_now(char* into, std::size_t size, IoResult& out) {
    if (tls_) {
        if (!may_read()) return Progress::wait;
        ERR_clear_error();
        errno = 0;
        if (const int returned = SSL_read_ex(tls_.get(), into, size, &out.bytes); returned != 1) {
            out.bytes = 0;
            out.error = tls_error(returned);
            if (!out.error) return Progress::wait;
        }
        return Progress::ended;
    }
    if (!watch_.may_read()) return Progress::wait;
    const auto n = ::recv(socket_, into, size, 0);
    if (n < 0) {
        if (must_wait()) {
            watch_.read_all();
            return Progress::wait;
        }
        out.error = from_errno();
    } else {
        out.bytes = static_cast<std::size_t>(n);
        if (n == 0) out.error = end_of_stream();
        if (out.bytes < size) watch_.read_all();
    }
    return Progress::ended;
}

IoResult Transport::write_tls(const WriteParts& parts) {
    // One record for head and body: OpenSSL makes one of each call.
    static thread_local std::array<char, tls_record> gathered;
    std::string_view bytes;
    if (parts[0].size() >= tls_record) {
        bytes = parts[0];
    } else {
        std::size_t size = 0;
        for (const auto& part : parts) {
            const auto here = std::min(part.size(), gathered.size() - size);
            if (here != 0) std::memcpy(gathered.data() + size, part.data(), here);
            size += here;
        }
        bytes = {gathered.data(), size};
    }
    IoResult out;
    if (bytes.empty()) return out;
    ERR_clear_error();
    errno = 0;
    if (const int returned = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &out.bytes);
        returned != 1) {
        out.bytes = 0;
        out.error = tls_error(returned);
    }
    return out;
}

IoResult Transport::try_write(const WriteParts& parts) {
    if (tls_) {
        const auto out = write_tls(parts);
        written_ += out.bytes;
        return out;
    }
    IoResult out;
    ssize_t n = 0;
    if (parts[1].empty() && parts[2].empty()) {
        n = ::send(socket_, parts[0].data(), parts[0].size(), MSG_NOSIGNAL);
    } else {
        std::array<iovec, 3> vectors{};
        for (std::size_t i = 0; i < parts.size(); ++i)
            vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = vectors.size();
        n = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    }
    if (n >= 0)
        written_ += out.bytes = static_cast<std::size_t>(n);
    else if (must_wait())
        watch_.wrote_all();
    else
        out.error = from_errno();
    return out;
}

Transport::Progress Transport::write_now(WriteParts& parts, IoResult& out) {
    while (size_of(parts) != 0) {
        out = try_write(parts);
        if (out.error) return Progress::ended;
        if (out.bytes == 0) return Progress::wait;
        advance(parts, out.bytes);
    }
    return Progress::ended;
}

bool Transport::is_quiet(bool ask) {
    if (tls_ && SSL_has_pending(tls_.get()) == 1) return false;
    if (!watch_.may_read() && !ask) return true;
    char byte = 0;
    if (::recv(socket_, &byte, 1, MSG_PEEK) >= 0 || !must_wait()) return false;
    watch_.read_all();
    return true;
}

bool Transport::peer_left() {
    char byte = 0;
    const auto n = ::recv(socket_, &byte, 1, MSG_PEEK);
    return n == 0 || (n < 0 && !must_wait());
}

bool Transport::has_input() {
    char byte = 0;
    return ::recv(socket_, &byte, 1, MSG_PEEK) > 0;
}

void Transport::hold_little() {
    const int most = 256 * 1024;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

void Transport::shutdown_send() {
    if (tls_) {
        ERR_clear_error();
        SSL_shutdown(tls_.get());
    }
    if (socket_ >= 0) ::shutdown(socket_, SHUT_WR);
}

void Transport::close() {
    if (socket_ < 0) return;
    watch_.stop();
    ::close(std::exchange(socket_, -1));
    tls_.reset();  // it knows the descriptor's number, which another thread may have by now
}

void Transport::reset() {
    if (socket_ < 0) return;
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

}  // namespace signet::net
