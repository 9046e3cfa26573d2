// One worker's connections to one upstream: idle ones to reuse, and how to open more.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "net/buffer.hpp"
#include "net/name_lookup.hpp"
#include "net/settings.hpp"
#include "net/task.hpp"
#include "net/tls.hpp"
#include "net/transport.hpp"

namespace signet::net {

struct UpstreamConnection {
    UpstreamConnection(Poller& poller, std::size_t endpoint_index, std::int64_t& open_connections)
        : transport(poller), endpoint(endpoint_index), open(open_connections) {
        ++open;
    }
    ~UpstreamConnection() { --open; }
    UpstreamConnection(const UpstreamConnection&) = delete;

    Transport transport;
    Buffer in;
    std::size_t endpoint;  // index
    bool reused = false;
    std::uint64_t idle_since = 0;  // the poller's round
    bool given_up = false;         // while connecting: the time is up
    Event* lookup_news = nullptr;  // while a name is looked up
    SteadyTime idle_until{};
    std::int64_t& open;  // the worker's gauge
};

using UpstreamConnectionPtr = std::unique_ptr<UpstreamConnection>;

class UpstreamPool {
  public:
    // context: the worker's, for names that must be looked up.
    UpstreamPool(boost::asio::io_context& context, Poller& poller, const UpstreamSettings& settings,
                 TlsContext tls, std::int64_t& open_connections)
        : context_(context),
          poller_(poller),
          settings_(settings),
          tls_(std::move(tls)),
          idle_(settings.endpoints.size()),
          names_(settings.endpoints.size()),
          down_until_(settings.endpoints.size()),
          open_(open_connections) {}

    [[nodiscard]] const UpstreamSettings& settings() const { return settings_; }
    // Where answers with this status are counted; set by the owner at the first one.
    std::uint64_t*& counter(int status) { return counters_[static_cast<std::size_t>(status)]; }

    // Endpoints are taken in turn, request by request; one that could not be reached a moment ago is passed
    // over while there are others.
    [[nodiscard]] std::size_t next_endpoint(SteadyTime now);
    void tell(std::size_t endpoint, bool reached, SteadyTime now);
    // An idle connection to that endpoint that is still quiet, the one used last; null: open one. one_chance:
    // for a request that cannot be sent again, so the kernel is asked once more.
    UpstreamConnectionPtr take_idle(std::size_t endpoint, bool one_chance, SteadyTime now);
    void give_back(UpstreamConnectionPtr connection, SteadyTime now,
                   std::optional<std::uint32_t> keep_alive_seconds);
    void close_ended(SteadyTime now);

    UpstreamConnectionPtr make_connection(std::size_t endpoint) {
        return std::make_unique<UpstreamConnection>(poller_, endpoint, open_);
    }
    // Resolves, connects, shakes hands. error_code{}: good. give_up() ends it at any step.
    static void give_up(UpstreamConnection& connection);
    Task<error_code> connect(UpstreamConnection& connection);

  private:
    boost::asio::io_context& context_;
    Poller& poller_;
    UpstreamSettings settings_;
    TlsContext tls_;
    std::vector<std::deque<UpstreamConnectionPtr>> idle_;  // by endpoint
    std::vector<std::unique_ptr<NameLookup>> names_;       // by endpoint; null: an address, or not asked yet
    std::vector<SteadyTime> down_until_;
    std::size_t next_ = 0;
    std::array<std::uint64_t*, 600> counters_{};  // by status; 0: no answer
    std::int64_t& open_;
};

}  // namespace signet::net
