#include "net/worker.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <random>

#include "net/session.hpp"

namespace signet::net {
namespace {

constexpr auto as_result = asio::as_tuple(use_task);
constexpr milliseconds tick{100};
constexpr seconds longest_key_wait{2};
constexpr std::size_t access_batch = 32 * 1024;
constexpr int backlog = 4096;

std::uint64_t random_word() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

// SplitMix64 (Steele, Lea, Flood): ids must differ, they need not be secret.
std::uint64_t next_random(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

}  // namespace

Worker::Worker(Shared shared, std::size_t cache_bytes)
    : shared_(shared),
      acceptor_(context_.get_executor()),
      tick_(context_.get_executor()),
      gate_(shared.revocations, cache_bytes),
      id_state_(random_word()),
      id_prefix_(random_word()) {}

Worker::~Worker() {
    if (thread_.joinable()) {
        abort();
        join();
    }
}

result<Address> Worker::listen(const Address& address) {
    error_code error;
    const auto ip = asio::ip::make_address(address.host, error);
    if (error) return fault("listen: '" + address.host + "' is not an IP address");
    const tcp::endpoint endpoint(ip, address.port);
    const std::string where = address.host + ":" + std::to_string(address.port);
    acceptor_.open(endpoint.protocol(), error);
    if (error) return fault("listen " + where + ": " + error.message());
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    const int on = 1;
    ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (ip.is_v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
    acceptor_.bind(endpoint, error);
    if (error) return fault("listen " + where + ": " + error.message());
    acceptor_.listen(backlog, error);
    if (error) return fault("listen " + where + ": " + error.message());
    return Address{address.host, acceptor_.local_endpoint().port()};
}

void Worker::start(GenerationPtr generation) {
    update_now();
    install(std::move(generation));
    asio::co_spawn(context_, accept_loop(), asio::detached);
    asio::co_spawn(context_, tick_loop(), asio::detached);
    thread_ = std::thread([this] {
        context_.run();
        finished_.store(true);
    });
}

void Worker::post(GenerationPtr generation) {
    asio::post(context_, [this, g = std::move(generation)]() mutable { install(std::move(g)); });
}

void Worker::stop_accepting() {
    asio::post(context_, [this] {
        draining_ = true;
        error_code ignored;
        acceptor_.close(ignored);
        for (auto& session : sessions_) session.end_if_idle();
    });
}

void Worker::abort() {
    asio::post(context_, [this] {
        draining_ = aborted_ = true;
        error_code ignored;
        acceptor_.close(ignored);
        for (auto& session : sessions_) session.abort();
    });
}

void Worker::join() {
    if (thread_.joinable()) thread_.join();
}

void Worker::collect(std::function<void(const telemetry::WorkerMetrics&)> done) {
    asio::post(context_, [this, done = std::move(done)] {
        metrics_.cache_entries = gate_.cache().size();
        metrics_.cache_bytes = gate_.cache().bytes();
        done(metrics_);
    });
}

void Worker::install(GenerationPtr generation) {
    const bool new_settings = !generation_ || generation_->shared->settings != generation->settings;
    gate_.install(generation->rules, generation->keys);
    if (new_settings || generation_->shared->rules != generation->rules) {
        route_counters_.clear();
        for (std::size_t i = 0; i < generation->rules->routes.size(); ++i)
            route_counters_.push_back(
                &metrics_.routes[generation->rules->routes.at(static_cast<std::uint16_t>(i)).name]);
    }
    if (new_settings) {
        LocalGenerationPtr local(new LocalGeneration);
        for (std::size_t i = 0; i < generation->settings->upstreams.size(); ++i)
            local->pools.push_back(
                std::make_unique<UpstreamPool>(executor(), generation->settings->upstreams[i],
                                               generation->upstream_tls[i], metrics_.upstream_connections));
        local->shared = std::move(generation);
        generation_ = std::move(local);
    } else {
        // Only keys changed: connections stay. Requests under way look at settings only, and those are the
        // same.
        generation_->shared = std::move(generation);
    }
    const auto& keys = generation_->shared->keys;
    noted_kids_.assign(keys.size(), false);
    for (const auto& waiter : key_waiters_)
        if (waiter.issuer >= keys.size() || keys[waiter.issuer]->fetches > waiter.fetches_before)
            waiter.timer->cancel();
}

Task<> Worker::accept_loop() {
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(as_result);
        if (!error) {
            try {
                accepted(Socket(std::move(socket)));
            } catch (const std::exception& e) {
                shared_.log.error("connection not taken", {{"error", e.what()}});
            }
        } else if (error != asio::error::operation_aborted && error != asio::error::connection_aborted) {
            // Out of descriptors, most likely: take breath instead of spinning.
            Timer pause(executor(), milliseconds(50));
            co_await pause.async_wait(as_result);
        }
    }
}

void Worker::accepted(Socket socket) {
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    auto session = std::make_shared<Session>(*this, std::move(socket), peer);
    sessions_.push_back(*session);
    asio::co_spawn(context_, Session::serve(std::move(session)), [this](const std::exception_ptr& failed) {
        // A failure ends one session, never the process.
        if (!failed) return;
        try {
            std::rethrow_exception(failed);
        } catch (const std::exception& e) {
            shared_.log.error("session failed", {{"error", e.what()}});
        }
    });
}

Task<> Worker::tick_loop() {
    // One timer for all deadlines: arming one is a store, not a system call.
    while (!(draining_ && sessions_.empty())) {
        tick_.expires_after(tick);
        co_await tick_.async_wait(as_result);
        update_now();
        for (auto& session : sessions_) {
            if (draining_) session.end_if_idle();
            if (aborted_) session.abort();
            session.check_deadlines(now_);
        }
        for (const auto& pool : generation_->pools) pool->close_ended(now_);
        flush_access();
    }
    generation_.reset();
    flush_access();
}

void Worker::access_line(std::string_view line) {
    access_.append(line) += '\n';
    if (access_.size() >= access_batch) flush_access();
}

void Worker::flush_access() {
    if (access_.empty()) return;
    access_.pop_back();  // the sink ends the last line
    shared_.log.write_batch(access_);
    access_.clear();
}

void Worker::make_request_id(std::string& out) {
    static constexpr char digits[] = "0123456789abcdef";
    out.resize(32);
    std::size_t at = 0;
    for (const auto half : {id_prefix_ ^ next_random(id_state_), next_random(id_state_)})
        for (int shift = 60; shift >= 0; shift -= 4) out[at++] = digits[(half >> shift) & 15];
}

telemetry::RouteCounters& Worker::route_counters(int route) {
    return route >= 0 ? *route_counters_[static_cast<std::size_t>(route)] : metrics_.routes[""];
}

Task<gate::KeyWait> Worker::wait_for_keys(std::size_t issuer) {
    const auto before = generation_->shared->keys[issuer]->fetches;
    Timer timer(executor(), longest_key_wait);
    const auto place = key_waiters_.insert(key_waiters_.end(), {issuer, before, &timer});
    if (!generation_->shared->keys[issuer]->fetching) shared_.keys.unknown_kid(issuer);
    const auto [ended] = co_await timer.async_wait(as_result);
    key_waiters_.erase(place);
    const auto& keys = generation_->shared->keys;
    const bool fetched =
        ended == asio::error::operation_aborted && issuer < keys.size() && keys[issuer]->last_fetch_good;
    co_return fetched ? gate::KeyWait::fetched : gate::KeyWait::failed;
}

void Worker::note_unknown_kid(std::size_t issuer) {
    if (noted_kids_[issuer]) return;
    noted_kids_[issuer] = true;
    shared_.keys.unknown_kid(issuer);
}

}  // namespace signet::net
