#include "net/upstream_pool.hpp"

#include <boost/asio/error.hpp>
#include <vector>

namespace signet::net {
namespace {

constexpr std::size_t max_idle = 512;
constexpr seconds passed_over{3};

}  // namespace

UpstreamConnectionPtr UpstreamPool::take_idle(std::size_t endpoint, bool one_chance, SteadyTime now) {
    auto& idle = idle_[endpoint];
    while (!idle.empty()) {
        auto connection = std::move(idle.back());
        idle.pop_back();
        if (now < connection->idle_until &&
            connection->transport.is_quiet(
                // Nothing can have been said of it since.
                one_chance || connection->idle_since == connection->transport.round()))
            return connection;
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
    connection->idle_since = connection->transport.round();
    connection->reused = true;
    connection->in.release();
    idle_[connection->endpoint].push_back(std::move(connection));
}

void UpstreamPool::close_ended(SteadyTime now) {
    // The oldest are in front, but a Keep-Alive of the upstream's may have shortened any of them.
    for (auto& idle : idle_)
        std::erase_if(idle, [&](const UpstreamConnectionPtr& c) { return now >= c->idle_until; });
}

std::size_t UpstreamPool::next_endpoint(SteadyTime now) {
    const auto count = settings_.endpoints.size();
    if (count < 2) return 0;
    for (std::size_t tries = 0; tries != count; ++tries)
        if (const auto at = next_++ % count; now >= down_until_[at]) return at;
    return next_++ % count;
}

void UpstreamPool::tell(std::size_t endpoint, bool reached, SteadyTime now) {
    down_until_[endpoint] = reached ? SteadyTime{} : now + passed_over;
}

void UpstreamPool::give_up(UpstreamConnection& connection) {
    connection.given_up = true;
    if (connection.lookup_news != nullptr) connection.lookup_news->set();
    connection.transport.close();
}

Task<error_code> UpstreamPool::connect(UpstreamConnection& connection) {
    const Endpoint& endpoint = settings_.endpoints[connection.endpoint];
    error_code error;
    std::vector<SocketAddress> addresses;
    if (const auto literal = SocketAddress::parse(endpoint.host, endpoint.port)) {
        addresses.push_back(*literal);
    } else {
        auto& lookup = names_[connection.endpoint];
        if (!lookup) lookup = std::make_unique<NameLookup>(context_, endpoint.host, endpoint.port);
        Event news(poller_);
        connection.lookup_news = &news;
        error = co_await lookup->addresses(addresses, news, connection.given_up);
        connection.lookup_news = nullptr;
        if (error) co_return error;
    }
    error = boost::asio::error::host_not_found;
    for (const auto& address : addresses) {
        if (connection.given_up) co_return boost::asio::error::timed_out;
        error = co_await connection.transport.connect(address);
        if (!error) break;
    }
    if ((error || connection.given_up) && names_[connection.endpoint]) names_[connection.endpoint]->forget();
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
