#include "app/application.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <mutex>

#include "app/version.hpp"
#include "gate/explain.hpp"
#include "revocation/memory_source.hpp"
#include "store/sqlite_revocations.hpp"

namespace signet::app {
namespace {

constexpr milliseconds fast_tick{50};
constexpr seconds slow_tick{1};
constexpr seconds sweep_interval{30};
constexpr std::size_t admin_body = 1024 * 1024;
constexpr std::size_t probe_body = 4 * 1024;  // anybody may ask there, and nothing takes a body

std::string host_port(const net::Address& a) {
    return (a.host.find(':') == std::string::npos ? a.host : "[" + a.host + "]") + ":" +
           std::to_string(a.port);
}

}  // namespace

struct Application::Timers {
    explicit Timers(boost::asio::io_context& context) : tick(context), drain(context), signals(context) {}
    boost::asio::steady_timer tick;
    boost::asio::steady_timer drain;
    boost::asio::signal_set signals;
};

Application::Application(ConfigSource source, LoadedConfig loaded, telemetry::Log& log)
    : source_(std::move(source)),
      loaded_(std::move(loaded)),
      log_(log),
      timers_(std::make_unique<Timers>(context_)),
      index_(random_seed()),
      keys_(context_, log, [this] { publish(); }) {}

Application::~Application() {
    for (auto& worker : workers_) worker->abort();
    for (auto& worker : workers_) worker->join();
}

result<Listening> Application::start() {
    const auto& c = loaded_.configuration;
    log_.set_level(c.log.level);
    std::unique_ptr<revocation::Source> source;
    if (c.revocation_store == config::RevocationStore::file) {
        auto opened = store::SqliteRevocations::open(c.state_dir);
        if (!opened) return opened.error();
        source = std::move(*opened);
    } else {
        source = std::make_unique<revocation::MemorySource>();
    }
    if (c.state_dir.empty())
        log_.warn(
            "no state_dir: revocations and fetched keys are kept in memory only and end with this process");
    ledger_ = std::make_unique<revocation::Ledger>(index_, std::move(source), c.largest_skew());
    const auto entries = ledger_->load(wall_now());
    if (!entries) return entries.error();

    if (!c.state_dir.empty()) keys_.keep_in(store::KeyStore(c.state_dir));
    keys_.fetch_through(loaded_.prepared.key_proxies);
    keys_.configure(c.keys, loaded_.prepared.key_sets);
    own_gate_ = std::make_unique<gate::Gate>(index_, 0);
    const std::size_t count = c.workers != 0 ? c.workers : available_cpus();
    net::Address address = c.net->listen;
    for (std::size_t i = 0; i < count; ++i) {
        workers_.push_back(std::make_unique<net::Worker>(
            net::Worker::Shared{index_, log_, keys_, connections_}, c.cache_bytes / count));
        const auto bound = workers_.back()->listen(address, i != 0);
        if (!bound) return bound.error();
        address = *bound;  // the port that the system chose for the first
    }
    Listening out{address, std::nullopt, std::nullopt};
    const auto open = [&](const net::Address& where, bool full, std::unique_ptr<net::ControlServer>& server,
                          std::optional<net::Address>& bound) -> std::optional<Fault> {
        server =
            std::make_unique<net::ControlServer>(context_, handler(full), full ? admin_body : probe_body);
        const auto listening = server->listen(where);
        if (!listening) return listening.error();
        bound = *listening;
        return std::nullopt;
    };
    if (c.admin_address)
        if (auto failed = open(*c.admin_address, true, admin_, out.admin)) return *failed;
    if (c.health_address)
        if (auto failed = open(*c.health_address, false, health_, out.health)) return *failed;

    tls_watch_ = std::make_unique<store::FileWatch>(loaded_.prepared.tls.files);
    decryption_watch_ = std::make_unique<store::FileWatch>(loaded_.prepared.decryption.files);
    if (!source_.path.empty()) config_watch_ = std::make_unique<store::FileWatch>(std::vector{source_.path});
    const auto generation = std::make_shared<const net::Generation>(net::Generation{
        c.rules, keys_.snapshots(), c.net, loaded_.prepared.tls.listener, loaded_.prepared.tls.upstreams});
    own_gate_->install(generation->rules, generation->keys);
    for (auto& worker : workers_) worker->start(generation);

    for (const auto& warning : c.warnings)
        log_.warn("configuration", {{"detail", config::describe(source_.name, warning)}});
    warn_of_report_only();
    log_.info(
        "started",
        {{"version", version}, {"workers", count}, {"revocations", *entries}, {"state_dir", c.state_dir}});
    log_.info("listening", {{"listener", "proxy"}, {"address", host_port(out.proxy)}});
    if (out.admin) log_.info("listening", {{"listener", "admin"}, {"address", host_port(*out.admin)}});
    if (out.health) log_.info("listening", {{"listener", "health"}, {"address", host_port(*out.health)}});
    return out;
}

int Application::run(bool handle_signals) {
    if (handle_signals) {
        timers_->signals.add(SIGTERM);
        timers_->signals.add(SIGINT);
        timers_->signals.add(SIGHUP);
        auto wait = std::make_shared<std::function<void()>>();
        *wait = [this, weak = std::weak_ptr(wait)] {
            timers_->signals.async_wait(
                [this, wait_again = weak.lock()](boost::system::error_code error, int signal) {
                    if (error || !wait_again) return;
                    if (signal == SIGHUP)
                        reload();
                    else
                        begin_drain();
                    (*wait_again)();
                });
        };
        (*wait)();
        tick();
        context_.run();
        return 0;
    }
    tick();
    context_.run();
    return 0;
}

void Application::stop() {
    boost::asio::post(context_, [this] { begin_drain(); });
}

void Application::publish() {
    const auto& c = loaded_.configuration;
    const auto generation = std::make_shared<const net::Generation>(net::Generation{
        c.rules, keys_.snapshots(), c.net, loaded_.prepared.tls.listener, loaded_.prepared.tls.upstreams});
    own_gate_->install(generation->rules, generation->keys);
    for (auto& worker : workers_) worker->post(generation);
}

void Application::schedule_tick() {
    timers_->tick.expires_after(fast_tick);
    timers_->tick.async_wait([this](boost::system::error_code error) {
        if (!error) tick();
    });
}

void Application::tick() {
    const auto now = std::chrono::steady_clock::now();
    keys_.tick(now);
    if (!ready_ && !draining_ && keys_.all_ready()) {
        ready_ = true;
        log_.info("ready");
    }
    if (now >= next_slow_tick_) {
        next_slow_tick_ = now + slow_tick;
        watch_files();
    }
    if (now >= next_sweep_) {
        const auto more = ledger_->sweep(wall_now());
        if (!more) log_.error("revocations", {{"error", more.error().message}});
        if (!more || !*more) next_sweep_ = now + sweep_interval;  // else at the next tick
    }
    schedule_tick();
}

void Application::watch_decryption() {
    if (decryption_watch_->changed()) {
        decryption_pending_ = true;
        decryption_error_.clear();
    }
    if (!decryption_pending_) return;
    config::Problems problems;
    auto fresh = prepare_decryption(loaded_.configuration, problems);
    if (!problems.empty()) {
        const auto why = config::describe(source_.name, problems.front());
        if (why != decryption_error_) log_.error("decryption keys not taken", {{"detail", why}});
        decryption_error_ = why;
        return;
    }
    decryption_pending_ = false;
    // New rules, so that tokens that an old key opened are remembered no longer.
    loaded_.configuration.rules = std::make_shared<gate::Rules>(*loaded_.configuration.rules);
    loaded_.configuration.rules->decryption = std::move(fresh.keys);
    log_.info("decryption keys taken anew");
    publish();
}

void Application::watch_files() {
    keys_.check_files();
    if (loaded_.configuration.watch && config_watch_ && config_watch_->changed()) reload();
    watch_decryption();
    if (tls_watch_->changed()) {
        tls_pending_ = true;
        tls_error_.clear();
    }
    if (!tls_pending_) return;
    // Tried until it works: a certificate and its key are seldom replaced in one moment.
    config::Problems problems;
    auto fresh = prepare_tls(loaded_.configuration, problems);
    if (!problems.empty()) {
        const auto why = config::describe(source_.name, problems.front());
        if (why != tls_error_) log_.error("certificate not taken", {{"detail", why}});
        tls_error_ = why;
        return;
    }
    tls_pending_ = false;
    tls_error_.clear();
    // Upstream contexts belong to connection pools, which new settings make anew.
    loaded_.prepared.tls = std::move(fresh);
    loaded_.configuration.net = std::make_shared<net::Settings>(*loaded_.configuration.net);
    log_.info("certificates taken anew");
    publish();
}

std::string Application::refuse_change(const config::Configuration& next) const {
    const auto& now = loaded_.configuration;
    if (!(next.net->listen == now.net->listen)) return "listen";
    // The files may be others; whether clients speak TLS may not change under them.
    if (next.net->tls.enabled() != now.net->tls.enabled()) return "listen.tls";
    if (next.admin_address != now.admin_address) return "admin";
    if (next.health_address != now.health_address) return "health";
    if (next.workers != now.workers) return "workers";
    if (next.state_dir != now.state_dir) return "state_dir";
    if (next.revocation_store != now.revocation_store) return "revocation.store";
    if (next.cache_bytes != now.cache_bytes) return "tokens.cache_bytes";
    return {};
}

void Application::reload() {
    auto next = load_config(source_);
    config::Problems problems;
    if (auto* found = std::get_if<config::Problems>(&next)) {
        problems = std::move(*found);
    } else if (const auto key = refuse_change(std::get<LoadedConfig>(next).configuration); !key.empty()) {
        problems.push_back({{}, key + " cannot change while Signet runs; restart it", false});
    }
    last_reload_good_ = problems.empty();
    ++(last_reload_good_ ? reloads_good_ : reloads_failed_);
    if (!problems.empty()) {
        std::string all;
        for (const auto& p : problems) all += (all.empty() ? "" : "\n") + config::describe(source_.name, p);
        log_.error("reload failed; the old configuration stays", {{"errors", all}});
        return;
    }
    loaded_ = std::get<LoadedConfig>(std::move(next));
    const auto& c = loaded_.configuration;
    log_.set_level(c.log.level);
    keys_.configure(c.keys, loaded_.prepared.key_sets);
    ledger_->set_skew(c.largest_skew());
    tls_watch_ = std::make_unique<store::FileWatch>(loaded_.prepared.tls.files);
    decryption_watch_ = std::make_unique<store::FileWatch>(loaded_.prepared.decryption.files);
    decryption_pending_ = false;
    tls_pending_ = false;
    publish();
    for (const auto& warning : c.warnings)
        log_.warn("configuration", {{"detail", config::describe(source_.name, warning)}});
    warn_of_report_only();
    log_.info("reload done", {{"config_sha256", c.sha256}});
}

void Application::warn_of_report_only() const {
    std::string routes;
    const auto& table = loaded_.configuration.rules->routes;
    for (std::size_t i = 0; i < table.size(); ++i)
        if (const auto& route = table.at(static_cast<std::uint16_t>(i)); route.enforce_percent < 100)
            routes += (routes.empty() ? "" : " ") + route.name;
    if (!routes.empty())
        log_.warn("report_only: refusals of these routes are counted and let through", {{"routes", routes}});
}

void Application::begin_drain() {
    if (draining_) return;
    draining_ = true;
    ready_ = false;
    const auto& timeouts = loaded_.configuration.net->timeouts;
    log_.info("stopping", {{"shutdown_delay_ms", static_cast<std::size_t>(timeouts.shutdown_delay.count())},
                           {"drain_ms", static_cast<std::size_t>(timeouts.drain.count())}});
    timers_->drain.expires_after(timeouts.shutdown_delay);
    timers_->drain.async_wait([this](boost::system::error_code) {
        for (auto& worker : workers_) worker->stop_accepting();
        drain_until_ = std::chrono::steady_clock::now() + loaded_.configuration.net->timeouts.drain;
        watch_drain();
    });
}

void Application::watch_drain() {
    bool finished = true;
    for (const auto& worker : workers_) finished = finished && worker->finished();
    if (!finished && std::chrono::steady_clock::now() >= drain_until_) {
        log_.warn("drain is over; what is left is cut",
                  {{"connections", static_cast<std::size_t>(connections_.load())}});
        for (auto& worker : workers_) worker->abort();
        finished = true;
    }
    if (!finished) {
        timers_->drain.expires_after(milliseconds(20));
        timers_->drain.async_wait([this](boost::system::error_code) { watch_drain(); });
        return;
    }
    for (auto& worker : workers_) worker->join();
    log_.info("stopped");
    context_.stop();
}

admin::Facts Application::facts() const {
    const auto& c = loaded_.configuration;
    admin::Facts f;
    f.version = version;
    f.uptime_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    f.config_sha256 = c.sha256;
    f.ready = ready_;
    f.issuers = keys_.status();
    f.revocation_store = ledger_->store_name();
    f.revocation_entries = ledger_->size();
    for (const auto& upstream : c.net->upstreams) {
        admin::UpstreamStatus s{upstream.name, {}};
        for (const auto& e : upstream.endpoints)
            s.endpoints.push_back(std::string(upstream.tls ? "https://" : "http://") +
                                  host_port({e.host, e.port}) + upstream.form.path_prefix);
        f.upstreams.push_back(std::move(s));
    }
    f.totals.issuers = keys_.figures();
    f.totals.revocation_entries = ledger_->size();
    f.totals.last_reload_good = last_reload_good_;
    f.totals.reloads_good = reloads_good_;
    f.totals.reloads_failed = reloads_failed_;
    f.totals.version = version;
    return f;
}

PlainHandler Application::handler(bool full) {
    return [this, full](PlainRequest request, Reply reply) {
        if (!admin::needs_figures(request)) return answer(request, reply, full, {});
        // Each worker adds its figures on its own thread; the last one sends them on. The reply ends a
        // connection of this thread's, so it must leave with them and never be destroyed over there.
        struct Gathering {
            std::mutex mutex;
            telemetry::WorkerMetrics sum;
            std::size_t left;
            PlainRequest request;
            Reply reply;
        };
        auto gathering = std::make_shared<Gathering>();
        gathering->left = workers_.size();
        gathering->request = std::move(request);
        gathering->reply = std::move(reply);
        for (auto& worker : workers_) {
            worker->collect([this, gathering, full](const telemetry::WorkerMetrics& figures) {
                const std::lock_guard lock(gathering->mutex);
                gathering->sum.add(figures);
                if (--gathering->left != 0) return;
                boost::asio::post(context_, [this, full, sum = std::move(gathering->sum),
                                             request = std::move(gathering->request),
                                             reply = std::move(gathering->reply)]() mutable {
                    answer(request, reply, full, std::move(sum));
                });
            });
        }
    };
}

void Application::answer(const PlainRequest& request, const Reply& reply, bool full,
                         telemetry::WorkerMetrics figures) {
    auto known = facts();
    known.totals.workers = std::move(figures);
    admin::Actions actions{
        *ledger_, [this](std::string_view name) { return keys_.refresh(name); },
        [this](const std::string& token, const PlainRequest& r) { return explain(token, r); },
        [this](std::string_view method, std::string_view path, int status) {
            log_.audit("admin change", {{"method", method}, {"path", path}, {"status", status}});
        }};
    std::optional<std::string> token;
    const auto& settings = loaded_.configuration.admin;
    if (!settings.token_file.empty()) {
        auto read = store::read_file(settings.token_file, 4096);
        token = read ? std::move(*read) : std::string{};  // one that cannot be read lets nobody in
        while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
    }
    reply(admin::handle(request, known, actions, settings, token, full, wall_now()));
}

std::string Application::explain(const std::string& token, const PlainRequest& request) {
    gate::ExplainedRequest r;
    r.token = gate::token_from_text(token);
    for (const auto& [name, value] :
         {std::pair{"X-Explain-Method", &r.method}, {"X-Explain-Host", &r.host}, {"X-Explain-Path", &r.path}})
        if (const auto given = request.header(name); !given.empty()) *value = given;
    return gate::explain(*own_gate_, loaded_.configuration.net->forms(), r,
                         {wall_now(), std::chrono::steady_clock::now()}, "")
        .to_json();
}

}  // namespace signet::app
