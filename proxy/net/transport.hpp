// One TCP connection, with TLS on it or without. The plain path pays one branch for the other.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string_view>

#include "net/address.hpp"
#include "net/poller.hpp"

namespace signet::net {

using boost::system::error_code;

struct IoResult {
    error_code error;
    std::size_t bytes = 0;
};

using WriteParts = std::array<std::string_view, 3>;

// Drops `n` bytes from the front.
void advance(WriteParts& parts, std::size_t n);
std::size_t size_of(const WriteParts& parts);

// The peer has ended its direction in order: with FIN, or with TLS's close_notify.
error_code end_of_stream();
// The operation was cancelled, by a deadline or by close().
error_code operation_aborted();

class Transport {
  public:
    // descriptor: a non-blocking socket, ours from now on.
    Transport(Poller& poller, int descriptor);
    // One that is to be connected.
    explicit Transport(Poller& poller) : watch_(poller) {}
    ~Transport() { close(); }
    Transport(const Transport&) = delete;

    [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
    // Before the handshake; false: OpenSSL has no memory.
    bool use_tls(SSL_CTX* context);
    SSL* native_tls() { return tls_.get(); }

    class Connect;
    class Handshake;
    class Readable;
    class Turn;
    class Read;
    class Write;

    // All of them are awaited at once: `co_await transport.read_some(…)`. At most one reads and one writes.
    //
    // Opens a new socket for that address. A second address may be tried after a first that failed.
    [[nodiscard]] Connect connect(const SocketAddress& address);
    enum class Role : bool { client, server };
    [[nodiscard]] Handshake handshake(Role role);
    // Waits until there is something to read, the end included: a connection that idles needs no buffer.
    [[nodiscard]] Readable readable();
    // Lets other connections have their turn.
    [[nodiscard]] Turn turn();
    // What there is, `size` bytes at most, when there is some.
    [[nodiscard]] Read read_some(char* into, std::size_t size);
    // All of it, waiting where needed. What parts show stays where it is meanwhile.
    [[nodiscard]] Write write_all(const WriteParts& parts);

    // As much as goes without waiting.
    IoResult try_write(const WriteParts& parts);

    // Nothing has come, not even the end, while the connection lay idle, as far as the poller has heard;
    // ask: as far as the kernel knows.
    [[nodiscard]] bool is_quiet(bool ask);
    // The peer has ended its direction, or the connection, with nothing left to read.
    [[nodiscard]] bool peer_left();
    // Something lies in the socket, not looked at yet.
    [[nodiscard]] bool has_input();
    // The peer is gone altogether, as far as the poller has heard.
    [[nodiscard]] bool gone() const { return watch_.gone(); }
    [[nodiscard]] std::uint64_t round() const { return watch_.round(); }
    // Bytes that the kernel took so far: tells a slow reader from one that has stopped.
    [[nodiscard]] std::uint64_t written() const { return written_; }
    // So that the kernel holds no megabytes for a slow reader, and tells of each piece that it took.
    void hold_little();

    // Ends our direction: close_notify with TLS, FIN.
    void shutdown_send();
    void cancel() { watch_.cancel(); }
    void close();
    void reset();  // so that the peer cannot take it for an orderly end

  private:
    struct FreeTls {
        void operator()(SSL* tls) const { SSL_free(tls); }
    };
    enum class Progress : bool { wait, ended };
    [[nodiscard]] bool may_read() const {
        return watch_.may_read() || (tls_ && SSL_has_pending(tls_.get()) == 1);
    }
    Progress read_now(char* into, std::size_t size, IoResult& out);
    Progress write_now(WriteParts& parts, IoResult& out);
    IoResult write_tls(const WriteParts& parts);
    // What an OpenSSL call that failed means; no error: it must wait.
    error_code tls_error(int returned);

    Watch watch_;
    int socket_ = -1;
    std::uint64_t written_ = 0;
    std::unique_ptr<SSL, FreeTls> tls_;
};

class Transport::Connect final : public Operation {
  public:
    Connect(Transport& transport, const SocketAddress& address);
    [[nodiscard]] bool await_ready() const { return static_cast<bool>(error_); }
    void await_suspend(std::coroutine_handle<> who) { transport_.watch_.wait_write(*this, who); }
    error_code await_resume() const { return aborted() ? operation_aborted() : error_; }

  private:
    bool attempt() noexcept override;
    Transport& transport_;
    error_code error_;
};

class Transport::Handshake final : public Operation {
  public:
    Handshake(Transport& transport, Role role) : transport_(transport), role_(role) {}
    [[nodiscard]] bool await_ready() { return transport_.watch_.try_now(*this); }
    void await_suspend(std::coroutine_handle<> who) { transport_.watch_.wait_read(*this, who); }
    error_code await_resume() const { return aborted() ? operation_aborted() : error_; }

  private:
    bool attempt() noexcept override;
    Transport& transport_;
    Role role_;
    error_code error_;
};

class Transport::Readable final : public Operation {
  public:
    explicit Readable(Transport& transport) : transport_(transport) {}
    [[nodiscard]] bool await_ready() { return attempt(); }
    void await_suspend(std::coroutine_handle<> who) { transport_.watch_.wait_read(*this, who); }
    error_code await_resume() const { return aborted() ? operation_aborted() : error_code{}; }

  private:
    bool attempt() noexcept override { return transport_.may_read(); }
    Transport& transport_;
};

class Transport::Turn final : public Operation {
  public:
    explicit Turn(Transport& transport) : transport_(transport) {}
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> who) { transport_.watch_.wait_turn(*this, who); }
    void await_resume() const {}

  private:
    bool attempt() noexcept override { return true; }
    Transport& transport_;
};

class Transport::Read final : public Operation {
  public:
    Read(Transport& transport, char* into, std::size_t size)
        : transport_(transport), into_(into), size_(size) {}
    [[nodiscard]] bool await_ready() { return transport_.watch_.try_now(*this); }
    void await_suspend(std::coroutine_handle<> who) { transport_.watch_.wait_read(*this, who); }
    IoResult await_resume() const { return aborted() ? IoResult{operation_aborted(), 0} : result_; }

  private:
    bool attempt() noexcept override { return transport_.read_now(into_, size_, result_) == Progress::ended; }
    Transport& transport_;
    char* into_;
    std::size_t size_;
    IoResult result_;
};

class Transport::Write final : public Operation {
  public:
    Write(Transport& transport, const WriteParts& parts) : transport_(transport), parts_(parts) {}
    [[nodiscard]] bool await_ready() { return transport_.watch_.try_now(*this); }
    void await_suspend(std::coroutine_handle<> who) { transport_.watch_.wait_write(*this, who); }
    error_code await_resume() const { return aborted() ? operation_aborted() : result_.error; }

  private:
    bool attempt() noexcept override { return transport_.write_now(parts_, result_) == Progress::ended; }
    Transport& transport_;
    WriteParts parts_;
    IoResult result_;
};

inline Transport::Connect Transport::connect(const SocketAddress& address) { return {*this, address}; }
inline Transport::Handshake Transport::handshake(Role role) { return {*this, role}; }
inline Transport::Readable Transport::readable() { return Readable(*this); }
inline Transport::Turn Transport::turn() { return Turn(*this); }
inline Transport::Read Transport::read_some(char* into, std::size_t size) { return {*this, into, size}; }
inline Transport::Write Transport::write_all(const WriteParts& parts) { return {*this, parts}; }

}  // namespace signet::net
