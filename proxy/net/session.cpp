#include "net/session.hpp"

#include <algorithm>

#include "http/metadata_response.hpp"
#include "net/exchange.hpp"

namespace signet::net {
namespace {

constexpr std::size_t kept_buffer = 16 * 1024;
constexpr int pipelined_in_a_row = 4;
constexpr seconds first_request_grace{1};
constexpr std::size_t drain_bytes = 1024 * 1024;
constexpr seconds drain_time{2};

telemetry::Outcome outcome_of(const policy::Allow& allow) {
    return allow.is_lifted()     ? telemetry::Outcome::would_deny
           : allow.is_verified() ? telemetry::Outcome::allow
           : allow.is_public()   ? telemetry::Outcome::open
                                 : telemetry::Outcome::anonymous;
}

}  // namespace

Session::Session(Worker& worker, int socket, const SocketAddress& peer)
    : worker_(worker),
      transport_(worker.poller(), socket),
      peer_text_(peer.host()),
      peer_address_(peer.bytes()) {
    ++worker_.shared_.connections;
    ++worker_.metrics_.client_connections;
}

Session::~Session() {
    --worker_.shared_.connections;
    --worker_.metrics_.client_connections;
}

void Session::check_deadlines(SteadyTime now) {
    if (exchange_ != nullptr && transport_.gone()) exchange_->client_left();
    // A reader that takes something now and then is slow, not stuck.
    if (main.span.count() != 0 && main.seen != transport_.written()) {
        main.seen = transport_.written();
        main.at = now + main.span;
    }
    for (Deadline* d : {&main, &pump}) {
        if (now < d->at) continue;
        d->disarm();
        d->expired = true;
        transport_.cancel();
        if (exchange_ != nullptr) exchange_->cancel();
    }
}

void Session::arm_for_reader(milliseconds span) {
    main.arm(worker_.now() + span);
    main.span = span;
    main.seen = transport_.written();
}

void Session::end_if_idle(SteadyTime now) {
    if (!idle_) return;
    if (served_)
        transport_.cancel();
    else
        main.at = std::min(main.at, now + first_request_grace);  // its first request may be on its way
}

void Session::abort() {
    aborted_ = true;
    transport_.close();
    if (exchange_ != nullptr) exchange_->abort();
}

Task<> Session::run() {
    bool open = co_await admit();
    int pipelined = 0;
    while (open) {
        if (in_.empty()) {
            if (worker_.draining() && served_ && !transport_.has_input()) break;
            // Most connections are here most of the time, so this frame is all that they have: no buffer, no
            // record.
            in_.release();
            const auto& timeouts = worker_.generation()->shared->settings->timeouts;
            main.arm(worker_.now() + (served_ ? timeouts.client_idle : timeouts.client_header));
            idle_ = true;
            const auto ended = co_await transport_.readable();
            idle_ = false;
            // A request that came just before the end of an idle connection is served all the same.
            if (ended && (main.expired || !worker_.draining() || !transport_.has_input())) break;
        } else if (++pipelined == pipelined_in_a_row) {
            pipelined = 0;
            co_await transport_.turn();
        }
        open = co_await serve_one(!served_);
        served_ = true;
    }
    if (linger_)
        co_await linger();
    else if (!cut_ && transport_.is_tls())
        transport_.shutdown_send();
    transport_.close();
}

// False: there are too many connections, or no handshake comes about.
Task<bool> Session::admit() {
    const auto generation = worker_.generation()->shared;  // kept: a reload may replace it meanwhile
    const auto& settings = *generation->settings;
    const bool tls = generation->listener_tls != nullptr;
    const auto most = static_cast<std::int64_t>(settings.max_connections);
    // They linger for a while so that they read why; not all of a crowd can.
    if (worker_.shared_.connections > most + most / 4 + 64) co_return false;
    if (worker_.shared_.connections > most) {
        begin_record();
        worker_.make_request_id(record_->id);
        if (settings.access_log) begin_access_line(*record_, peer_text_, "", "", "");
        record_->reason = Reason::overloaded;
        // A handshake to say so would be the dearest thing that a crowd could ask for.
        if (!tls)
            co_await refuse(
                {Reason::overloaded, 0, "the proxy serves as many connections as it may", {}, {}, 1}, false);
        finish_record();
        co_return false;
    }
    if (!tls) co_return true;
    main.arm(worker_.update_now() + settings.timeouts.client_header);
    if (!transport_.use_tls(generation->listener_tls->native_handle())) co_return false;
    const auto failed = co_await transport_.handshake(Transport::Role::server);
    co_return !failed;
}

Task<bool> Session::serve_one(bool first) {
    std::size_t head_size = 0;
    const bool whole = co_await read_head(first, head_size);
    if (!whole) co_return false;
    const bool keep = co_await handle(head_size);
    main.disarm();
    co_return keep;
}

// True: a whole head stands at the front of in_.
Task<bool> Session::read_head(bool first, std::size_t& head_size) {
    // Copies: a reload may replace the settings while this waits.
    const auto& settings = *worker_.generation()->shared->settings;
    const bool access_log = settings.access_log;
    const std::size_t max_bytes = worker_.gate().rules().http.limits.max_bytes;
    const auto timeouts = settings.timeouts;
    std::size_t scanned = 0;
    bool begun = !in_.empty();
    if (begun) main.arm(worker_.now() + timeouts.client_header);
    http::Denial wrong;
    while (true) {
        if (scanned == 0) in_.consume(http::leading_empty_line(in_.bytes()));
        const auto end = http::find_head_end(in_.bytes(), scanned);
        if (end.state == http::HeadEnd::State::complete && end.size <= max_bytes) {
            head_size = end.size;
            co_return true;
        }
        if (end.state == http::HeadEnd::State::broken) {
            wrong.detail = end.detail;
            break;
        }
        if (in_.size() >= max_bytes || end.state == http::HeadEnd::State::complete) {
            const bool in_target = in_.bytes().substr(0, max_bytes).find("\r\n") == std::string_view::npos;
            wrong.status = in_target ? 414 : 431;
            wrong.detail = "the head is larger than limits.max_header_bytes";
            break;
        }
        if (!begun && !in_.empty()) {
            begun = true;
            if (!http::is_token(in_.bytes().substr(0, 1)) && in_.bytes() != "\r") {
                wrong.detail = "this is not HTTP/1.1";
                break;
            }
            if (!first) main.arm(worker_.update_now() + timeouts.client_header);
        }
        char* const room = in_.prepare(1024);
        const auto got = co_await transport_.read_some(room, in_.room());
        if (got.error) {
            if (!main.expired || in_.empty()) co_return false;
            wrong.status = 408;
            wrong.detail = "the head did not come within timeouts.client_header";
            break;
        }
        in_.commit(got.bytes);
    }
    begin_record();
    worker_.make_request_id(record_->id);
    record_->status = wrong.status;
    if (access_log) begin_access_line(*record_, peer_text_, "", "", "");
    co_await refuse(wrong, false);
    finish_record();
    co_return false;
}

Task<bool> Session::handle(std::size_t head_size) {
    begin_record();
    auto keys = gate::KeyWait::none;
    SteadyTime keys_until{};
    bool fresh_connection = false;
    bool keep = false;
    while (true) {
        // Everything up to the forwarding happens between two waits, on the worker's scratch memory; after a
        // wait the head is read again from in_, where it still stands.
        record_->outcome = telemetry::Outcome::deny;
        record_->would_deny.reset();
        auto& scratch = worker_.scratch;
        const auto generation = worker_.generation();
        const auto& rules = worker_.gate().rules();
        const auto& settings = *generation->shared->settings;
        const http::Peer peer{peer_text_, any_contains(settings.trusted_proxies, peer_address_),
                              transport_.is_tls()};
        auto& head = scratch.head;
        if (const auto bad = http::parse_request_head(in_.bytes().substr(0, head_size), rules.http.names,
                                                      rules.http.limits, head)) {
            worker_.make_request_id(record_->id);
            if (settings.access_log) begin_access_line(*record_, peer_text_, head.method, head.host, "");
            in_.consume(head_size);
            co_await refuse({Reason::bad_request,
                             bad->status,
                             bad->detail,
                             {},
                             bad->status == 405 ? "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH" : "",
                             1},
                            false);
            break;
        }
        record_->to_head = head.is_head();
        record_->http11 = head.http11;
        if (record_->id.empty()) {
            record_->id = http::kept_request_id(head, peer.trusted);
            if (record_->id.empty()) worker_.make_request_id(record_->id);
        }
        const auto before = keys == gate::KeyWait::none ? worker_.now() : worker_.update_now();
        auto decision = worker_.gate().decide(head, scratch.target, peer, {wall_now(), before}, keys);
        if (decision.verified_now) {
            ++worker_.metrics().cache_misses;
            worker_.metrics().verify_duration[std::string(jose::name_of(*decision.verified_now))].observe(
                worker_.update_now() - before);
        } else if (decision.remembered) {
            ++worker_.metrics().cache_hits;
        }
        record_->route = decision.route;
        record_->issuer = decision.issuer;
        record_->token = decision.token;
        // Before any wait: the head is the worker's, who goes on to others meanwhile. What is lifted is told
        // of even where nothing else is.
        const bool lifted = decision.allow && decision.allow->is_lifted();
        if ((settings.access_log || lifted) && record_->line.empty())
            begin_access_line(*record_, client_of(head, peer), head.method, head.host,
                              decision.stage == gate::Stage::path ? "" : scratch.target.path);
        if (decision.kind == gate::Decision::Kind::need_keys) {
            keys = co_await worker_.wait_for_keys(static_cast<std::size_t>(decision.issuer),
                                                  decision.wanted_kid, keys_until);
            if (!transport_.peer_left()) continue;
            record_->reason = Reason::bad_request;  // whoever left meanwhile costs the upstream nothing
            break;
        }
        if (decision.stage == gate::Stage::key && decision.wants_fetch)
            worker_.note_unknown_kid(static_cast<std::size_t>(decision.issuer));
        if (decision.kind == gate::Decision::Kind::metadata) {
            keep = head.keep_alive && head.body == http::BodyKind::none && head.upgrade.empty() &&
                   !worker_.draining();
            const bool preflight = head.method == "OPTIONS";
            in_.consume(head_size);
            keep = co_await tell_metadata(decision.resource->document, preflight, keep);
            break;
        }
        if (decision.kind == gate::Decision::Kind::deny) {
            // An unread body would be read as the next request, and so would frames sent ahead of an upgrade.
            keep = head.keep_alive && head.body == http::BodyKind::none &&
                   decision.stage != gate::Stage::path && !worker_.draining();
            const bool upgrade = !head.upgrade.empty();
            in_.consume(head_size);
            keep = keep && !(upgrade && !in_.empty());
            keep =
                co_await refuse({decision.refusal.reason, decision.status, decision.refusal.detail,
                                 decision.refusal.scope, decision.status == 405 ? "GET, HEAD, OPTIONS" : "",
                                 1, decision.refusal.authentication, rules.resource_metadata(decision.route)},
                                keep);
            break;
        }

        record_->outcome = outcome_of(*decision.allow);
        if (lifted) record_->would_deny = decision.refusal.reason;
        if (decision.token)
            worker_.metrics().claims_left_out += decision.remembered ? 0 : decision.token->claims_left_out();
        const auto upstream = rules.routes.at(static_cast<std::uint16_t>(decision.route)).upstream;
        record_->upstream = upstream;
        auto& pool = *generation->pools[upstream];
        const auto upstream_head =
            http::make_upstream_head(scratch.upstream_head, head, scratch.target, *decision.allow, peer,
                                     record_->id, pool.settings().form, rules.http);
        Exchange exchange(*this, generation, pool, head, head_size);
        exchange_ = &exchange;
        const auto end = co_await exchange.run(upstream_head, fresh_connection);
        exchange_ = nullptr;
        if (end == Exchange::End::again) {
            fresh_connection = true;
            continue;
        }
        keep = end == Exchange::End::keep;
        break;
    }
    finish_record();
    co_return keep;
}

// For the log.
std::string Session::client_of(const http::RequestHead& head, const http::Peer& peer) const {
    std::string chain;
    if (peer.trusted)
        for (const auto& field : head.fields)
            if (field.kind.id == http::HeaderId::x_forwarded_for)
                chain.append(chain.empty() ? "" : ",").append(field.value);
    return std::string(
        client_behind(worker_.generation()->shared->settings->trusted_proxies, chain, peer_text_));
}

void Session::begin_record() {
    record_ = worker_.take_record();
    record_->reset(worker_.update_now());
}

void Session::finish_record() {
    const auto now = worker_.update_now();
    auto& metrics = worker_.metrics();
    const auto& generation = *worker_.generation();
    const auto& rules = *generation.shared->rules;
    metrics.request_duration.observe(now - record_->started);
    // After a reload during the request its indices may mean something else; counters stay within bounds.
    if (record_->route >= static_cast<int>(rules.routes.size())) record_->route = -1;
    ++worker_.route_counters(record_->route).by_outcome[static_cast<std::size_t>(record_->outcome)];
    const auto count = [&](auto& counters, Reason reason) {
        const bool known = record_->issuer >= 0 && record_->issuer < static_cast<int>(rules.issuers.size());
        ++counters[{
            reason, known ? rules.issuers[static_cast<std::size_t>(record_->issuer)].name : "",
            record_->route >= 0 ? rules.routes.at(static_cast<std::uint16_t>(record_->route)).name : ""}];
    };
    if (record_->reason && record_->outcome == telemetry::Outcome::deny)
        count(metrics.denied, *record_->reason);
    if (record_->would_deny) count(metrics.would_deny, *record_->would_deny);
    std::string_view upstream;
    if (record_->upstream >= 0 && static_cast<std::size_t>(record_->upstream) < generation.pools.size()) {
        auto& pool = *generation.pools[static_cast<std::size_t>(record_->upstream)];
        upstream = pool.settings().name;
        auto*& counter = pool.counter(record_->upstream_status);
        if (counter == nullptr)
            counter = &metrics.upstream_requests[{std::string(upstream), record_->upstream_status}];
        ++*counter;
    }
    if (!record_->line.empty()) {
        end_access_line(*record_, rules, upstream, now);
        worker_.access_line(record_->line);
    }
    worker_.give_record(std::move(record_));
}

Task<error_code> Session::send(std::string_view head, std::string_view body) {
    WriteParts parts{head, body, {}};
    const auto now = transport_.try_write(parts);
    if (now.error) co_return now.error;
    advance(parts, now.bytes);
    if (size_of(parts) == 0) co_return error_code{};
    // head may be scratch memory that the next request of another session will use.
    const std::string rest(parts[0]);
    parts[0] = rest;
    co_return co_await transport_.write_all(parts);
}

Task<bool> Session::refuse(const http::Denial& denial, bool keep) {
    const auto generation = worker_.generation();
    record_->reason = denial.reason;
    std::string answer;
    record_->status =
        http::make_deny_response(answer, denial, {record_->id, record_->to_head, record_->http11, !keep},
                                 generation->shared->rules->http.answers);
    co_return co_await send_own(answer, keep);
}

// An answer that Signet gives itself: head and body. -> whether the connection stays.
Task<bool> Session::send_own(const std::string& answer, bool keep) {
    const auto body_timeout = worker_.generation()->shared->settings->timeouts.body;
    record_->bytes_out += answer.size() - (answer.find("\r\n\r\n") + 4);
    main.arm(worker_.update_now() + body_timeout);
    const auto failed = co_await send(answer, {});
    if (failed) co_return false;
    linger_ = !keep;
    co_return keep;
}

// document: the generation's, which may be replaced as soon as this waits.
Task<bool> Session::tell_metadata(std::string_view document, bool preflight, bool keep) {
    record_->outcome = telemetry::Outcome::open;
    std::string answer;
    record_->status = http::make_metadata_response(answer, document, preflight,
                                                   {record_->id, record_->to_head, record_->http11, !keep});
    co_return co_await send_own(answer, keep);
}

Task<> Session::linger() {
    transport_.shutdown_send();
    main.arm(worker_.update_now() + drain_time);
    std::size_t drained = in_.size();
    in_.clear();
    while (drained < drain_bytes && !main.expired) {
        char* const room = in_.prepare(kept_buffer);
        const auto got = co_await transport_.read_some(room, in_.room());
        if (got.error) break;
        drained += got.bytes;
    }
}

}  // namespace signet::net
