// One thread that serves: its io_context, its listener, its gate, its upstream connections. Workers share
// nothing but the immutable generation, the revocation index, the count of connections, the log's queue and
// the control thread's mailbox.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/local_shared_ptr.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gate/gate.hpp"
#include "http/response_head.hpp"
#include "net/generation.hpp"
#include "net/poller.hpp"
#include "net/request_record.hpp"
#include "net/task.hpp"
#include "net/upstream_pool.hpp"
#include "telemetry/log.hpp"
#include "telemetry/worker_metrics.hpp"

namespace signet::net {

class Session;

// Asked, from any thread, when a request met a kid that its issuer's key set does not have. kid: hashed
// (keys::KeySnapshot::wanted); nullopt where the issuer has no keys at all, or nobody waits for this one.
class KeyDemand {
  public:
    KeyDemand() = default;
    KeyDemand(const KeyDemand&) = delete;
    KeyDemand& operator=(const KeyDemand&) = delete;
    virtual ~KeyDemand() = default;
    virtual void unknown_kid(std::size_t issuer, std::optional<Hash128> kid) = 0;
};

// A generation with this worker's own connections. Counted without atomics; a request that is under way keeps
// its own.
struct LocalGeneration {
    GenerationPtr shared;
    std::vector<std::unique_ptr<UpstreamPool>> pools;  // by upstream index
};
using LocalGenerationPtr = boost::local_shared_ptr<LocalGeneration>;

using SessionHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class Worker {
  public:
    struct Shared {
        revocation::Index& revocations;
        telemetry::Log& log;
        KeyDemand& keys;
        std::atomic<std::int64_t>& connections;  // of all workers
    };
    Worker(Shared shared, std::size_t cache_bytes);
    ~Worker();
    Worker(const Worker&) = delete;

    // ---- control thread ----
    // Opens the listening socket; port 0: chosen by the system. Returns where it listens. shared: with the
    // workers before this one; the first finds out that nobody else has the port.
    result<Address> listen(const Address& address, bool shared);
    void start(GenerationPtr generation);
    void post(GenerationPtr generation);
    void stop_accepting();  // and end idle connections; what is in flight goes on, with Connection: close
    void abort();           // closes every connection
    void join();
    [[nodiscard]] bool finished() const { return finished_.load(); }  // its last connection is gone
    // done is called on this worker's thread with a copy of what it counted.
    void collect(std::function<void(const telemetry::WorkerMetrics&)> done);

    // ---- this worker's thread: for sessions ----
    [[nodiscard]] Poller& poller() { return poller_; }
    [[nodiscard]] const LocalGenerationPtr& generation() const { return generation_; }
    gate::Gate& gate() { return gate_; }
    telemetry::WorkerMetrics& metrics() { return metrics_; }
    [[nodiscard]] bool draining() const { return draining_; }
    [[nodiscard]] SteadyTime now() const { return now_; }  // at most a tick old
    SteadyTime update_now() { return now_ = std::chrono::steady_clock::now(); }
    void access_line(std::string_view line);  // without its line break
    void make_request_id(std::string& out);
    // Kept from request to request, for the memory in its strings.
    std::unique_ptr<RequestRecord> take_record();
    void give_record(std::unique_ptr<RequestRecord> record);
    telemetry::RouteCounters& route_counters(int route);  // -1: no route

    // Waits until a fetch of the issuer's keys has ended, no longer than `until`, which the first wait of a
    // request sets, 2 s ahead. `none`: all is to be decided anew, since new rules came instead, or a fetch
    // ended that had begun before the wait and so may not know of a key that was made since.
    Task<gate::KeyWait> wait_for_keys(std::size_t issuer, std::optional<Hash128> kid, SteadyTime& until);
    // Within the cool-down: one fetch at its end. It counts for no kid: nobody waits for it.
    void note_unknown_kid(std::size_t issuer);

    // Used from one request's parse to its forwarding, never across a wait.
    struct Scratch {
        http::RequestHead head;
        http::Target target;
        http::ResponseHead response;
        std::string upstream_head;
        std::string client_head;
    };
    Scratch scratch;

  private:
    friend class Session;
    struct KeyWaiter {
        std::size_t issuer;
        std::uint64_t fetches_before;
        SteadyTime since;
        SteadyTime until;
        Event& news;
        gate::KeyWait end = gate::KeyWait::failed;
        bool told = false;  // and not resumed yet: its issuer's place may mean another by now
    };
    void accept_when_ready();
    int accept_some();
    void accepted(int socket, const SocketAddress& peer);
    void tick_later();
    void tick();
    void stop_listening();
    void install(GenerationPtr generation);
    void flush_access();

    Shared shared_;
    boost::asio::io_context context_{1};
    // The thread still answers collect() when its last connection is gone.
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> until_joined_{
        context_.get_executor()};
    Poller poller_{context_};
    boost::asio::posix::stream_descriptor listener_{context_};
    boost::asio::steady_timer tick_{context_};
    boost::asio::steady_timer accept_again_{context_};
    gate::Gate gate_;
    LocalGenerationPtr generation_;
    telemetry::WorkerMetrics metrics_;
    std::vector<telemetry::RouteCounters*> route_counters_;
    std::list<KeyWaiter> key_waiters_;
    std::vector<bool> noted_kids_;
    boost::intrusive::list<Session, boost::intrusive::base_hook<SessionHook>,
                           boost::intrusive::constant_time_size<false>>
        sessions_;
    std::vector<std::unique_ptr<RequestRecord>> records_;
    std::string access_;
    SteadyTime now_{};
    bool draining_ = false;
    bool aborted_ = false;
    std::uint64_t id_state_;
    std::uint64_t id_prefix_;
    std::atomic<bool> finished_{false};
    std::thread thread_;
};

}  // namespace signet::net
