// The running proxy: wires the rooms, serves until told to stop, reloads, drains. Its thread is the control
// thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "admin/api.hpp"
#include "app/config_source.hpp"
#include "app/key_keeper.hpp"
#include "net/control_server.hpp"
#include "net/worker.hpp"
#include "revocation/ledger.hpp"
#include "store/files.hpp"
#include "telemetry/log.hpp"

namespace signet::app {

struct Listening {
    net::Address proxy;
    std::optional<net::Address> admin;
    std::optional<net::Address> health;
};

class Application {
  public:
    Application(ConfigSource source, LoadedConfig loaded, telemetry::Log& log);
    ~Application();
    Application(const Application&) = delete;

    // Opens everything. A Fault: it could not start.
    result<Listening> start();
    // Serves until stop(); then drains. 0.
    int run(bool handle_signals);
    void stop();  // any thread

    [[nodiscard]] bool ready() const { return ready_.load(); }

  private:
    void publish();
    void tick();
    void schedule_tick();
    void reload();
    [[nodiscard]] std::string refuse_change(const config::Configuration& next) const;
    void warn_of_report_only() const;
    void begin_drain();
    void watch_drain();
    void watch_files();
    void watch_decryption();
    [[nodiscard]] admin::Facts facts() const;
    PlainHandler handler(bool full);
    void answer(const PlainRequest& request, const Reply& reply, bool full, telemetry::WorkerMetrics figures);
    std::string explain(const std::string& token, const PlainRequest& request);

    ConfigSource source_;
    LoadedConfig loaded_;
    telemetry::Log& log_;
    boost::asio::io_context context_;
    struct Timers;
    std::unique_ptr<Timers> timers_;
    revocation::Index index_;
    std::unique_ptr<revocation::Ledger> ledger_;
    std::atomic<std::int64_t> connections_{0};
    KeyKeeper keys_;
    std::unique_ptr<gate::Gate> own_gate_;  // for explain
    std::vector<std::unique_ptr<net::Worker>> workers_;
    std::unique_ptr<net::ControlServer> admin_;
    std::unique_ptr<net::ControlServer> health_;
    std::unique_ptr<store::FileWatch> tls_watch_;
    std::unique_ptr<store::FileWatch> decryption_watch_;
    bool decryption_pending_ = false;
    std::string decryption_error_;
    bool tls_pending_ = false;  // changed, and not taken yet
    std::string tls_error_;
    std::unique_ptr<store::FileWatch> config_watch_;
    SteadyTime started_ = std::chrono::steady_clock::now();
    SteadyTime drain_until_{};
    SteadyTime next_slow_tick_{};
    SteadyTime next_sweep_{};
    std::atomic<bool> ready_{false};
    bool draining_ = false;
    bool last_reload_good_ = true;
    std::uint64_t reloads_good_ = 0;
    std::uint64_t reloads_failed_ = 0;
};

// The least of the CPUs this process may use and the cgroup's quota, at least 1.
std::size_t available_cpus();

}  // namespace signet::app
