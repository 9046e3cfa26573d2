#include "net/poller.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <system_error>

namespace signet::net {
namespace {

int make_epoll() {
    const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return descriptor;
}

}  // namespace

Watch::~Watch() {
    stop();
    // Stopped before, it may still be the one that is being settled: what it waited for was cancelled.
    poller_.forget(*this);
}

void Watch::start(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = this;
    if (::epoll_ctl(poller_.epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    started_ = true;
    readable_ = writable_ = hung_ = gone_ = false;  // said anew, at once
}

void Watch::stop() {
    cancel();
    if (!std::exchange(started_, false)) return;
    readable_ = writable_ = hung_ = false;
    poller_.forget(*this);
}

void Watch::cancel() {
    if (reading_ == nullptr && writing_ == nullptr) return;
    for (auto* operation : {reading_, writing_})
        if (operation != nullptr) operation->aborted_ = true;
    poller_.later(*this);
}

void Watch::wait(Operation*& place, Operation& operation, std::coroutine_handle<> who) {
    operation.waiting_ = who;
    place = &operation;
    if (streak_ >= share) poller_.later(*this);
    streak_ = 0;
}

void Watch::wait_turn(Operation& operation, std::coroutine_handle<> who) {
    streak_ = share;
    wait(reading_, operation, who);
}

void Watch::wait_read(Operation& operation, std::coroutine_handle<> who) { wait(reading_, operation, who); }
void Watch::wait_write(Operation& operation, std::coroutine_handle<> who) { wait(writing_, operation, who); }

Poller::Poller(boost::asio::io_context& context)
    : context_(context), epoll_(context.get_executor(), make_epoll()) {}

void Poller::run() { arm(); }

void Poller::stop() {
    boost::system::error_code ignored;
    epoll_.close(ignored);
}

void Poller::arm() {
    epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [this](boost::system::error_code error) {
                          if (error) return;
                          dispatch();
                          if (epoll_.is_open()) arm();
                      });
}

void Poller::dispatch() {
    dispatching_ = true;
    const auto until = std::chrono::steady_clock::now() + longest_dispatch;
    while (epoll_.is_open()) {
        ++round_;
        count_ = ::epoll_wait(epoll_.native_handle(), events_.data(), batch, 0);
        if (count_ <= 0) break;
        for (int i = 0; i < count_; ++i) {
            auto& watch = *static_cast<Watch*>(events_[static_cast<std::size_t>(i)].data.ptr);
            const auto said = events_[static_cast<std::size_t>(i)].events;
            watch.hung_ = watch.hung_ || (said & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
            watch.readable_ = watch.readable_ || watch.hung_ || (said & EPOLLIN) != 0;
            watch.gone_ = watch.gone_ || (said & EPOLLERR) != 0;
            watch.writable_ = watch.writable_ || (said & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
            watch.streak_ = 0;
        }
        for (int i = 0; i < count_; ++i)
            if (auto* watch = static_cast<Watch*>(events_[static_cast<std::size_t>(i)].data.ptr))
                settle(*watch);
        count_ = 0;
        drain();
        if (std::chrono::steady_clock::now() >= until) break;
    }
    dispatching_ = false;
    if (!later_.empty() || !woken_.empty()) kick();
}

// Tries what waits for this socket. Whoever is resumed may end the socket.
void Poller::settle(Watch& watch) {
    settling_ = &watch;
    for (auto place : {&Watch::reading_, &Watch::writing_}) {
        auto* const operation = watch.*place;
        if (operation == nullptr || !(operation->aborted_ || operation->attempt())) continue;
        watch.*place = nullptr;
        operation->waiting_.resume();
        if (settling_ == nullptr) return;
    }
    settling_ = nullptr;
}

// What was put off so far; what is put off meanwhile has its turn in the next round.
void Poller::drain() {
    decltype(later_) now;
    now.swap(later_);
    while (!now.empty()) {
        auto& watch = now.front();
        now.pop_front();
        settle(watch);
    }
    waking_.swap(woken_);
    for (const auto who : waking_) who.resume();
    waking_.clear();
}

void Poller::later(Watch& watch) {
    if (watch.is_linked()) return;
    later_.push_back(watch);
    kick();
}

void Poller::resume_later(std::coroutine_handle<> who) {
    woken_.push_back(who);
    kick();
}

void Poller::kick() {
    if (dispatching_ || kicked_) return;
    kicked_ = true;
    boost::asio::post(context_, [this] {
        kicked_ = false;
        dispatching_ = true;
        drain();
        dispatching_ = false;
        if (!later_.empty() || !woken_.empty()) kick();
    });
}

void Poller::forget(Watch& watch) {
    if (settling_ == &watch) settling_ = nullptr;
    for (int i = 0; i < count_; ++i)
        if (auto& event = events_[static_cast<std::size_t>(i)]; event.data.ptr == &watch)
            event.data.ptr = nullptr;
}

}  // namespace signet::net
