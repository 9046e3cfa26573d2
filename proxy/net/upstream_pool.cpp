#include "net/upstream_pool.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <vector>

namespace signet::net {
namespace {

using Resolver = boost::asio::ip::tcp::resolver;

// A name's addresses. Asio asks the system's resolver on a thread of its own.
class Lookup {
  public:
    Lookup(Resolver& resolver, const Endpoint& endpoint) : resolver_(resolver), endpoint_(endpoint) {}
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> who) {
        resolver_.async_resolve(endpoint_.host, std::to_string(endpoint_.port),
                                [this, who](error_code error, const Resolver::results_type& found) {
                                    error_ = error;
                                    for (const auto& entry : found) {
                                        const auto at = entry.endpoint();
                                        addresses_.emplace_back(at.data(), static_cast<socklen_t>(at.size()));
                                    }
                                    who.resume();
                                });
    }
    error_code await_resume() const { return error_; }
    std::vector<SocketAddress> take() { return std::move(addresses_); }

  private:
    Resolver& resolver_;
    const Endpoint& endpoint_;
    error_code error_;
    std::vector<SocketAddress> addresses_;
};

constexpr std::size_t max_idle = 512;

}  // namespace

UpstreamConnectionPtr UpstreamPool::take_idle(std::size_t endpoint, bool one_chance, SteadyTime now) {
    auto& idle = idle_[endpoint];
    while (!idle.empty()) {
        auto connection = std::move(idle.back());
        idle.pop_back();
        if (now < connection->idle_until && connection->transport.is_quiet(one_chance)) return connection;
    }
    return nullptr;
}

void UpstreamPool::give_back(UpstreamConnectionPtr connection, SteadyTime now,
                             std::optional<std::uint32_t> keep_alive_seconds) {
    auto limit = settings_.idle_timeout;
    // A second less than what the upstream says: it must not close what we are about to use.
    if (keep_alive_seconds)
        limit = std::min<milliseconds>(limit, seconds(*keep_alive_seconds > 1 ? *keep_alive_seconds - 1 : 0));
    if (limit.count() == 0 || idle_[connection->endpoint].size() >= max_idle) return;
    connection->idle_until = now + limit;
    connection->reused = true;
    connection->in.release();
    idle_[connection->endpoint].push_back(std::move(connection));
}

void UpstreamPool::close_ended(SteadyTime now) {
    // The oldest are in front, but a Keep-Alive of the upstream's may have shortened any of them.
    for (auto& idle : idle_)
        std::erase_if(idle, [&](const UpstreamConnectionPtr& c) { return now >= c->idle_until; });
}

void UpstreamPool::give_up(UpstreamConnection& connection) {
    connection.given_up = true;
    if (connection.cancel_resolve) connection.cancel_resolve();
    connection.transport.close();
}

Task<error_code> UpstreamPool::connect(UpstreamConnection& connection) {
    const Endpoint& endpoint = settings_.endpoints[connection.endpoint];
    error_code error;
    std::vector<SocketAddress> addresses;
    if (const auto literal = SocketAddress::parse(endpoint.host, endpoint.port)) {
        addresses.push_back(*literal);
    } else {
        Resolver resolver(context_);
        connection.cancel_resolve = [&resolver] { resolver.cancel(); };
        Lookup lookup(resolver, endpoint);
        error = co_await lookup;
        connection.cancel_resolve = nullptr;
        if (error) co_return error;
        addresses = lookup.take();
    }
    error = boost::asio::error::host_not_found;
    for (const auto& address : addresses) {
        if (connection.given_up) co_return boost::asio::error::timed_out;
        error = co_await connection.transport.connect(address);
        if (!error) break;
    }
    if (connection.given_up) co_return boost::asio::error::timed_out;
    if (error) co_return error;
    if (tls_) {
        if (!connection.transport.use_tls(tls_->native_handle()) ||
            !expect_host(connection.transport.native_tls(), endpoint.host))
            co_return boost::asio::error::invalid_argument;
        error = co_await connection.transport.handshake(Transport::Role::client);
    }
    co_return error;
}

}  // namespace signet::net
