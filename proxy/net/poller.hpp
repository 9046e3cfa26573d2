// Which sockets of a worker can be read or written, and who waits for that.
//
// Asio's reactor tries each read at once, before it waits: three calls in vain for every proxied request, and
// a peek to see that an upstream's connection is still quiet. Here a socket is registered once,
// edge-triggered, and what the kernel said of it is remembered, so a read is called when there is something
// to read (epoll(7)). The poller hangs in the worker's io_context as one descriptor. All of it belongs to one
// thread.
//
// The order of things in one round: the flags of all sockets with news are set, then each one's operations
// are tried, and whose operation is done is resumed. An operation that is cancelled, or has had its share, is
// resumed in a later round, never from inside the call that cancels it.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <utility>
#include <vector>

namespace signet::net {

class Poller;

// One read, write or handshake that somebody waits for. Lives in the waiting coroutine.
class Operation {
  public:
    Operation() = default;
    virtual ~Operation() = default;
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

  protected:
    // Does what can be done now. True: it has ended, well or not.
    virtual bool attempt() noexcept = 0;
    [[nodiscard]] bool aborted() const { return aborted_; }

  private:
    friend class Watch;
    friend class Poller;
    std::coroutine_handle<> waiting_;
    bool aborted_ = false;
};

// One socket, from start() to stop(); it must be stopped before the descriptor is closed.
class Watch
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    explicit Watch(Poller& poller) : poller_(poller) {}
    ~Watch();
    Watch(const Watch&) = delete;

    void start(int descriptor);
    void stop();    // and cancels
    void cancel();  // operations that are waited for end soon, aborted()

    // What the kernel said last. A read that got less than it had room for says that the rest is to come.
    [[nodiscard]] bool may_read() const { return readable_; }
    [[nodiscard]] bool may_write() const { return writable_; }
    void read_all() { readable_ = hung_; }  // hung: the end can always be read
    void wrote_all() { writable_ = false; }

    // At once, if the socket's share is not used up. False: it must wait.
    [[nodiscard]] bool try_now(Operation& operation) { return ++streak_ < share && operation.attempt(); }
    void wait_read(Operation& operation, std::coroutine_handle<> who);
    void wait_write(Operation& operation, std::coroutine_handle<> who);
    // Lets the others have their turn first, whatever there is to read.
    void wait_turn(Operation& operation, std::coroutine_handle<> who);

    // The connection was reset. (Both directions ended in order is no reason to stop what is still passed
    // on.)
    [[nodiscard]] bool gone() const { return gone_; }
    [[nodiscard]] std::uint64_t round() const;  // of the poller

  private:
    friend class Poller;
    static constexpr int share = 4;  // operations in a row without waiting; a body's take up to 32 KiB each
    void wait(Operation*& place, Operation& operation, std::coroutine_handle<> who);

    Poller& poller_;
    Operation* reading_ = nullptr;
    Operation* writing_ = nullptr;
    int streak_ = 0;
    bool started_ = false;
    bool readable_ = false;
    bool writable_ = false;
    bool hung_ = false;  // the peer has ended its direction
    bool gone_ = false;
};

class Poller {
  public:
    explicit Poller(boost::asio::io_context& context);
    Poller(const Poller&) = delete;

    void run();   // from now on, as part of the io_context's run
    void stop();  // lets that run end

    // Resumed in this thread, soon.
    void resume_later(std::coroutine_handle<> who);

  private:
    friend class Watch;
    static constexpr int batch = 128;
    // Then the io_context's own work has its turn: accepts, deadlines, a new generation.
    static constexpr std::chrono::microseconds longest_dispatch{500};

    void arm();
    void dispatch();
    void settle(Watch& watch);
    void drain();
    void later(Watch& watch);
    void kick();
    void forget(Watch& watch);

    boost::asio::io_context& context_;
    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
    std::array<epoll_event, batch> events_{};
    int count_ = 0;              // of events_, in the round that is going on
    std::uint64_t round_ = 0;    // how often the kernel was asked
    Watch* settling_ = nullptr;  // still alive
    boost::intrusive::list<Watch, boost::intrusive::constant_time_size<false>> later_;
    std::vector<std::coroutine_handle<>> woken_;
    std::vector<std::coroutine_handle<>> waking_;
    bool dispatching_ = false;
    bool kicked_ = false;
};

inline std::uint64_t Watch::round() const { return poller_.round_; }

// Something that one coroutine waits for and another sets, once or again.
class Event {
  public:
    explicit Event(Poller& poller) : poller_(poller) {}
    Event(const Event&) = delete;

    void set() {
        set_ = true;
        if (waiting_) poller_.resume_later(std::exchange(waiting_, {}));
    }
    [[nodiscard]] bool await_ready() const noexcept { return set_; }
    void await_suspend(std::coroutine_handle<> who) { waiting_ = who; }
    void await_resume() { set_ = false; }

  private:
    Poller& poller_;
    std::coroutine_handle<> waiting_;
    bool set_ = false;
};

}  // namespace signet::net
