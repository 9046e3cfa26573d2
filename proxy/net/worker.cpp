#include "net/worker.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>

#include "net/session.hpp"

namespace signet::net {
namespace {

namespace asio = boost::asio;

constexpr milliseconds tick_length{100};
constexpr milliseconds longest_key_wait{2000 - 100};  // and up to a tick
constexpr std::size_t access_batch = 32 * 1024;
constexpr int backlog = 4096;
constexpr int accepted_in_a_row = 64;

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
      gate_(shared.revocations, cache_bytes),
      id_state_(random_word()),
      id_prefix_(random_word()) {}

Worker::~Worker() {
    if (thread_.joinable()) {
        abort();
        join();
    }
}

result<Address> Worker::listen(const Address& address, bool shared) {
    const auto wanted = SocketAddress::parse(address.host, address.port);
    if (!wanted) return fault("listen: '" + address.host + "' is not an IP address");
    const auto failed = [&](const char* call) {
        return fault("listen " + address.host + ":" + std::to_string(address.port) + ": " + call + ": " +
                     std::generic_category().message(errno));
    };
    const int socket = ::socket(wanted->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return failed("socket");
    listener_.assign(socket);  // closes it, too
    const int on = 1;
    const int off = 0;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (wanted->family() == AF_INET6) ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    // With SO_REUSEPORT set before the bind, a second instance would share the port, and a token that is
    // revoked at one would pass at the other. Set after it, the workers of this one still can.
    if (shared) ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (::bind(socket, wanted->data(), wanted->size()) != 0) return failed("bind");
    if (!shared) ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (::listen(socket, backlog) != 0) return failed("listen");
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return failed("getsockname");
    return Address{address.host, SocketAddress(reinterpret_cast<const sockaddr*>(&bound), size).port()};
}

void Worker::start(GenerationPtr generation) {
    update_now();
    install(std::move(generation));
    poller_.run();
    accept_when_ready();
    tick_later();
    thread_ = std::thread([this] { context_.run(); });
}

void Worker::post(GenerationPtr generation) {
    asio::post(context_, [this, g = std::move(generation)]() mutable { install(std::move(g)); });
}

void Worker::stop_accepting() {
    asio::post(context_, [this] {
        draining_ = true;
        // Who has connected already is served once.
        for (int turns = 0; turns < backlog / accepted_in_a_row && accept_some() == accepted_in_a_row;)
            ++turns;
        stop_listening();
        for (auto& session : sessions_) session.end_if_idle(update_now());
    });
}

void Worker::abort() {
    asio::post(context_, [this] {
        draining_ = aborted_ = true;
        stop_listening();
        for (auto& session : sessions_) session.abort();
    });
}

void Worker::join() {
    asio::post(context_, [this] {
        until_joined_.reset();
        if (finished()) context_.stop();
    });
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
    const bool new_rules = !generation_ || generation_->shared->rules != generation->rules;
    gate_.install(generation->rules, generation->keys);
    if (new_settings || new_rules) {
        route_counters_.clear();
        for (std::size_t i = 0; i < generation->rules->routes.size(); ++i)
            route_counters_.push_back(
                &metrics_.routes[generation->rules->routes.at(static_cast<std::uint16_t>(i)).name]);
    }
    if (new_settings) {
        LocalGenerationPtr local(new LocalGeneration);
        for (std::size_t i = 0; i < generation->settings->upstreams.size(); ++i)
            local->pools.push_back(
                std::make_unique<UpstreamPool>(context_, poller_, generation->settings->upstreams[i],
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
    for (auto& waiter : key_waiters_) {
        if (waiter.told) continue;
        if (new_rules) {
            waiter.end = gate::KeyWait::none;
        } else {
            if (keys[waiter.issuer]->fetches == waiter.fetches_before) continue;
            const auto& snapshot = *keys[waiter.issuer];
            waiter.end = snapshot.flight_began < waiter.since ? gate::KeyWait::none
                         : snapshot.last_fetch_good           ? gate::KeyWait::fetched
                                                              : gate::KeyWait::failed;
        }
        waiter.told = true;
        waiter.news.set();
    }
}

void Worker::accept_when_ready() {
    listener_.async_wait(asio::posix::descriptor_base::wait_read, [this](error_code error) {
        if (error || !listener_.is_open()) return;
        if (accept_some() >= 0) return accept_when_ready();
        // Out of descriptors, most likely: take breath instead of spinning.
        accept_again_.expires_after(milliseconds(50));
        accept_again_.async_wait([this](error_code) {
            if (listener_.is_open()) accept_when_ready();
        });
    });
}

// How many; -1: there are more, and they cannot be taken now.
int Worker::accept_some() {
    int taken = 0;
    for (; taken < accepted_in_a_row; ++taken) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const int socket = ::accept4(listener_.native_handle(), reinterpret_cast<sockaddr*>(&from), &size,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            accepted(socket, SocketAddress(reinterpret_cast<const sockaddr*>(&from), size));
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return -1;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    return taken;
}

void Worker::accepted(int socket, const SocketAddress& peer) {
    try {
        auto session = std::make_unique<Session>(*this, socket, peer);
        sessions_.push_back(*session);
        auto running = session->run();
        spawn(std::move(running), [this, session = std::move(session)](const std::exception_ptr& failed) {
            // A failure ends one session, never the process.
            if (!failed) return;
            try {
                std::rethrow_exception(failed);
            } catch (const std::exception& e) {
                shared_.log.error("session failed", {{"error", e.what()}});
            }
        });
    } catch (const std::exception& e) {
        shared_.log.error("connection not taken", {{"error", e.what()}});
    }
}

void Worker::stop_listening() {
    error_code ignored;
    listener_.close(ignored);
    accept_again_.cancel();
}

void Worker::tick_later() {
    tick_.expires_after(tick_length);
    tick_.async_wait([this](error_code) { tick(); });
}

// One timer for all deadlines: arming one is a store, not a system call.
void Worker::tick() {
    update_now();
    for (auto& session : sessions_) {
        if (draining_) session.end_if_idle(now_);
        if (aborted_) session.abort();
        session.check_deadlines(now_);
    }
    for (auto& waiter : key_waiters_)
        if (now_ >= waiter.until) waiter.news.set();
    for (const auto& pool : generation_->pools) pool->close_ended(now_);
    flush_access();
    if (!draining_ || !sessions_.empty()) return tick_later();
    generation_.reset();
    poller_.stop();
    finished_.store(true);
    // A name that is still looked up would hold the loop for as long as the system's resolver likes.
    if (!until_joined_.owns_work()) context_.stop();
}

std::unique_ptr<RequestRecord> Worker::take_record() {
    if (records_.empty()) return std::make_unique<RequestRecord>();
    auto record = std::move(records_.back());
    records_.pop_back();
    return record;
}

void Worker::give_record(std::unique_ptr<RequestRecord> record) {
    constexpr std::size_t kept = 64;
    record->token.reset();
    if (records_.size() < kept) records_.push_back(std::move(record));
}

void Worker::access_line(std::string_view line) {
    access_.append(line) += '\n';
    if (access_.size() >= access_batch) flush_access();
}

void Worker::flush_access() {
    if (access_.empty()) return;
    access_.pop_back();  // the sink ends the last line
    if (!shared_.log.write_batch(access_))
        metrics_.access_lines_dropped += 1 + static_cast<std::uint64_t>(std::ranges::count(access_, '\n'));
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

Task<gate::KeyWait> Worker::wait_for_keys(std::size_t issuer, std::optional<Hash128> kid, SteadyTime& until) {
    const auto before = generation_->shared->keys[issuer]->fetches;
    Event news(poller_);
    const auto since = update_now();
    if (until == SteadyTime{}) until = since + longest_key_wait;
    const auto place = key_waiters_.insert(key_waiters_.end(), {issuer, before, since, until, news});
    if (!generation_->shared->keys[issuer]->fetching) shared_.keys.unknown_kid(issuer, kid);
    co_await news;
    const auto end = place->end;
    key_waiters_.erase(place);
    co_return end;
}

void Worker::note_unknown_kid(std::size_t issuer) {
    if (noted_kids_[issuer]) return;
    noted_kids_[issuer] = true;
    shared_.keys.unknown_kid(issuer, std::nullopt);
}

}  // namespace signet::net
