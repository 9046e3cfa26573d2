#include "net/system_resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <system_error>
#include <thread>

namespace signet::net {
namespace {

namespace asio = boost::asio;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_at_a_time = 16;  // threads, where names hang and issuers point ever elsewhere
constexpr milliseconds longest_nap{20};

}  // namespace

// Written by its thread before `done`, read by others after it. The thread knows nothing else of ours.
struct SystemResolver::LookUp {
    std::string host;
    int error = 0;
    std::vector<asio::ip::address> found;
    std::atomic<bool> done{false};

    void run() {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* list = nullptr;
        error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
        for (const auto* entry = list; error == 0 && entry != nullptr; entry = entry->ai_next) {
            asio::ip::tcp::endpoint endpoint;
            if (entry->ai_addrlen > endpoint.capacity()) continue;
            std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
            found.push_back(endpoint.address());
        }
        if (list != nullptr) ::freeaddrinfo(list);
        done.store(true, std::memory_order_release);
    }
};

asio::awaitable<result<SystemResolver::Addresses>> SystemResolver::resolve(std::string host,
                                                                           std::uint16_t port,
                                                                           SteadyTime until) {
    boost::system::error_code not_one;
    const auto address = asio::ip::make_address(host, not_one);
    if (!not_one) co_return Addresses{{address, port}};

    // Those that ended after everybody had given up make room first.
    if (!look_ups_.contains(host) && look_ups_.size() >= most_at_a_time)
        std::erase_if(look_ups_,
                      [](const auto& one) { return one.second->done.load(std::memory_order_acquire); });
    auto& place = look_ups_[host];
    if (!place) {
        if (look_ups_.size() > most_at_a_time) {
            look_ups_.erase(host);
            co_return fault("no address for " + host + ": too many look-ups are under way");
        }
        place = std::make_shared<LookUp>();
        place->host = host;
        try {
            std::thread([look_up = place] { look_up->run(); }).detach();
        } catch (const std::system_error& e) {
            look_ups_.erase(host);
            co_return fault("no address for " + host + ": " + e.what());
        }
    }
    const auto look_up = place;
    // Looked at again and again, so that the thread needs to know of nobody who may be gone by then.
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer nap(executor);
    for (milliseconds length{1}; !look_up->done.load(std::memory_order_acquire);
         length = std::min(length * 2, longest_nap)) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= until) co_return fault("no address for " + host + " in time");
        nap.expires_at(std::min<SteadyTime>(now + length, until));
        co_await nap.async_wait(as_result);
    }
    // Whoever sees it first takes it off the list: the next one asks anew.
    if (const auto it = look_ups_.find(host); it != look_ups_.end() && it->second == look_up)
        look_ups_.erase(it);
    if (look_up->error != 0)
        co_return fault("no address for " + host + ": " + ::gai_strerror(look_up->error));
    Addresses out;
    for (const auto& found : look_up->found) out.emplace_back(found, port);
    co_return std::move(out);
}

}  // namespace signet::net
