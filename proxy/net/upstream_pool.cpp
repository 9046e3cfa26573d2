#include "net/upstream_pool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/basic_resolver.hpp>

namespace signet::net {
namespace {

constexpr auto as_result = asio::as_tuple(use_task);
constexpr std::size_t max_idle = 512;
constexpr std::size_t kept_buffer = 16 * 1024;

}  // namespace

UpstreamConnectionPtr UpstreamPool::take_idle(std::size_t endpoint, SteadyTime now) {
    auto& idle = idle_[endpoint];
    while (!idle.empty()) {
        auto connection = std::move(idle.back());
        idle.pop_back();
        if (now < connection->idle_until && connection->transport.is_quiet()) return connection;
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
    if (connection->in.capacity() > kept_buffer) connection->in.release();
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
    Socket& socket = connection.transport.socket();
    error_code error;
    std::vector<tcp::endpoint> addresses;
    const auto literal = asio::ip::make_address(endpoint.host, error);
    if (!error) {
        addresses.emplace_back(literal, endpoint.port);
    } else {
        asio::ip::basic_resolver<tcp, Executor> resolver(executor_);
        connection.cancel_resolve = [&resolver] { resolver.cancel(); };
        const std::string port = std::to_string(endpoint.port);
        const auto [unresolved, found] = co_await resolver.async_resolve(endpoint.host, port, as_result);
        connection.cancel_resolve = nullptr;
        if (unresolved) co_return unresolved;
        for (const auto& entry : found) addresses.push_back(entry.endpoint());
    }
    error = asio::error::host_not_found;
    for (const auto& address : addresses) {
        if (connection.given_up) co_return asio::error::timed_out;
        error_code ignored;
        socket.close(ignored);
        const auto [failed] = co_await socket.async_connect(address, as_result);
        error = failed;
        if (!error) break;
    }
    if (connection.given_up) co_return asio::error::timed_out;
    if (error) co_return error;
    connection.transport.prepare();
    if (tls_) {
        connection.transport.use_tls(*tls_);
        if (!expect_host(connection.transport.native_tls(), endpoint.host))
            co_return asio::error::invalid_argument;
        error = co_await connection.transport.handshake(asio::ssl::stream_base::client);
    }
    co_return error;
}

}  // namespace signet::net
