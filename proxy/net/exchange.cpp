#include "net/exchange.hpp"

#include <utility>

#include "net/chunk_relay.hpp"

namespace signet::net {
namespace {

constexpr std::size_t small_read = 16 * 1024;
constexpr std::size_t large_read = 32 * 1024;  // copied in and out while the cache has it
constexpr int max_interims = 16;

// RFC 9110 §9.2.1. Only these may be sent again by us.
bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

}  // namespace

Exchange::Exchange(Session& session, LocalGenerationPtr generation, UpstreamPool& pool,
                   const http::RequestHead& head, std::size_t head_size)
    : session_(session),
      worker_(session.worker()),
      generation_(std::move(generation)),
      pool_(pool),
      to_head_(head.is_head()),
      http11_(head.http11),
      keep_alive_(head.keep_alive),
      upgrade_(head.upgrade),
      retriable_(is_safe(head.method) && head.body == http::BodyKind::none),
      body_(head.body),
      head_size_(head_size),
      body_left_(head.content_length),
      pump_ended_(worker_.poller()) {}

Exchange::~Exchange() = default;

void Exchange::cancel() {
    if (!connection_) return;
    if (connecting_)
        UpstreamPool::give_up(*connection_);
    else
        connection_->transport.cancel();
}

void Exchange::client_left() {
    client_failed_ = true;
    cancel();
}

void Exchange::abort() {
    if (connection_) UpstreamPool::give_up(*connection_);
}

milliseconds Exchange::body_timeout() const { return generation_->shared->settings->timeouts.body; }

Task<Exchange::End> Exchange::run(const http::UpstreamHead& head, bool fresh_connection) {
    End end = End::close;
    std::exception_ptr failed;
    try {
        end = co_await run_steps(head, fresh_connection);
    } catch (...) {
        failed = std::current_exception();
    }
    co_await stop_pump();  // on every way out: the pump uses this object
    if (failed) std::rethrow_exception(failed);
    co_return end;
}

Task<Exchange::End> Exchange::run_steps(const http::UpstreamHead& head, bool fresh_connection) {
    // Without a body the head stays in the buffer until an answer begins: a stale connection makes us read it
    // again.
    if (body_ != http::BodyKind::none) consume_head();
    session_.main.arm(worker_.now() +
                      pool_.settings().response_timeout);  // what came before may have run out
    const bool sent = co_await open(head.text(), fresh_connection);
    if (!sent) {
        if (client_failed_) co_return co_await fail(Reason::bad_request, "the client went away");
        if (connection_ && may_retry() && !session_.main.expired) co_return End::again;
        const bool slow = session_.main.expired;
        co_return co_await fail(slow ? Reason::upstream_timeout : Reason::upstream_unreachable,
                                !slow         ? "no connection to the upstream"
                                : connection_ ? "the upstream did not take the request within timeouts.body"
                                              : "no connection within connect_timeout");
    }
    start_body();
    session_.main.arm(worker_.now() + pool_.settings().response_timeout);
    while (true) {
        const bool whole = co_await read_answer_head();
        if (!whole) {
            if (client_failed_) co_return co_await fail(Reason::bad_request, "the client went away");
            // Who cancelled this read knows why, but may not have said so yet.
            if (session_.pump.expired) co_await stop_pump();
            if (connection_->in.empty() && may_retry() && !session_.main.expired && interims_ == 0)
                co_return End::again;
            const bool slow = session_.main.expired;
            if (!slow &&
                (pump_failed() || pump_ == PumpState::upstream_gone || pump_ == PumpState::upstream_slow))
                co_return co_await fail_for_pump();
            co_return co_await fail(slow ? Reason::upstream_timeout : Reason::upstream_unreachable,
                                    slow ? "no answer within response_timeout"
                                         : "the upstream closed the connection without an answer");
        }
        auto& answer = worker_.scratch.response;
        const auto bytes = connection_->in.bytes().substr(0, answer_head_size_);
        if (const char* wrong = http::parse_response_head(bytes, to_head_, upgrade_, answer)) {
            co_return co_await fail(Reason::upstream_unreachable, wrong);
        }
        if (!answer.is_interim()) break;
        const bool passed = co_await pass_interim();
        if (!passed)
            co_return co_await fail(client_failed_ ? Reason::bad_request : Reason::upstream_unreachable,
                                    client_failed_ ? "the client went away" : "more than 16 interim answers");
    }
    consume_head();
    co_return co_await relay_answer();
}

// A connection with the request's head written to it. False: there is none, or it died; connection_ tells
// which.
Task<bool> Exchange::open(std::string_view head, bool fresh_connection) {
    const auto endpoint = pool_.next_endpoint(worker_.now());
    if (!fresh_connection) connection_ = pool_.take_idle(endpoint, !retriable_, worker_.now());
    // The whole of a short body goes along with the head.
    std::string_view body;
    if (body_ == http::BodyKind::length) {
        body = session_.in().bytes();
        body = body.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, body.size())));
    }
    WriteParts parts{head, body, {}};
    std::string kept;
    if (connection_) {
        const auto now = connection_->transport.try_write(parts);
        if (now.error) co_return false;
        advance(parts, now.bytes);
    }
    if (size_of(parts) != 0) {
        kept.assign(parts[0]);  // head is scratch memory
        parts[0] = kept;
        if (!connection_) {
            const bool connected = co_await connect_any(endpoint);
            if (!connected) co_return false;
        }
        session_.main.arm(worker_.now() + body_timeout());
        const auto failed = co_await connection_->transport.write_all(parts);
        if (failed) co_return false;
    }
    session_.in().consume(body.size());
    session_.record().bytes_in += body.size();
    body_left_ -= body.size();
    co_return true;
}

Task<bool> Exchange::connect_any(std::size_t first) {
    const auto count = pool_.settings().endpoints.size();
    for (std::size_t tries = 0; tries != count; ++tries) {
        connection_ = pool_.make_connection((first + tries) % count);
        session_.main.arm(worker_.update_now() + pool_.settings().connect_timeout);
        connecting_ = true;
        const auto error = co_await pool_.connect(*connection_);
        connecting_ = false;
        pool_.tell(connection_->endpoint, !error, worker_.now());
        if (!error) co_return true;
        if (client_failed_ || session_.aborted()) break;
    }
    connection_.reset();
    co_return false;
}

// True: a whole head of answer_head_size_ bytes stands in connection_->in.
Task<bool> Exchange::read_answer_head() {
    Buffer& in = connection_->in;
    std::size_t scanned = 0;
    answer_head_size_ = 0;
    while (true) {
        const auto end = http::find_head_end(in.bytes(), scanned);
        if (end.state == http::HeadEnd::State::complete) {
            answer_head_size_ = end.size;
            co_return true;
        }
        if (end.state == http::HeadEnd::State::broken || in.size() >= http::max_response_head)
            co_return false;
        // What ends the pump cancels the read below; it may have ended before that.
        if (pump_failed()) co_return false;
        char* const room = in.prepare(in.empty() ? small_read : 1024);
        const auto got = co_await connection_->transport.read_some(room, in.room());
        if (got.error) co_return false;
        if (in.empty()) session_.main.arm(worker_.now() + body_timeout());  // begun, so it has to end too
        in.commit(got.bytes);
    }
}

Task<bool> Exchange::pass_interim() {
    auto& scratch = worker_.scratch;
    if (++interims_ > max_interims) co_return false;
    scratch.client_head.clear();
    if (http11_)
        http::make_client_head(scratch.client_head, scratch.response, http::Delivery::none, {true, false});
    connection_->in.consume(answer_head_size_);
    bool told = true;
    if (http11_) {
        session_.main.arm(worker_.now() + body_timeout());
        told = co_await send_to_client(scratch.client_head, {}, {});
    }
    session_.main.arm(worker_.now() + pool_.settings().response_timeout);
    co_return told;
}

Task<Exchange::End> Exchange::relay_answer() {
    auto& scratch = worker_.scratch;
    auto& answer = scratch.response;
    auto& record = session_.record();
    record.status = record.upstream_status = answer.status;
    if (answer.status == 101) co_return co_await tunnel();

    const auto delivery = http::delivery_for(answer, http11_);
    // A body that is still coming, or bytes sent ahead of an upgrade that did not come about, have no place
    // in a next request.
    const bool body_open = pump_ != PumpState::idle && pump_ != PumpState::done;
    const bool close = !keep_alive_ || body_open || delivery == http::Delivery::until_close ||
                       worker_.draining() || (!upgrade_.empty() && !session_.in().empty());
    std::string head;
    {
        scratch.client_head.clear();
        http::make_client_head(scratch.client_head, answer, delivery, {http11_, close});
    }
    const auto body = answer.body;
    const auto length = answer.content_length;
    const bool reusable = answer.keep_alive;
    const auto keep_alive_seconds = answer.keep_alive_timeout;
    connection_->in.consume(answer_head_size_);
    answer_begun_ = true;

    bool whole = false;
    if (body == http::AnswerBody::none) {
        session_.arm_for_reader(body_timeout());
        whole = co_await send_to_client(scratch.client_head, {}, {});
    } else if (body == http::AnswerBody::length && connection_->in.size() >= length) {
        // All of it is here: one write for head and body.
        const auto size = static_cast<std::size_t>(length);
        session_.arm_for_reader(body_timeout());
        whole = co_await send_to_client(scratch.client_head, connection_->in.bytes().substr(0, size), {});
        connection_->in.consume(size);
        record.bytes_out += size;
    } else {
        head = scratch.client_head;
        whole = co_await relay_body(head, body, delivery, length);
    }
    const bool request_whole = pump_ == PumpState::idle || pump_ == PumpState::done;
    if (!request_whole) co_await stop_pump();
    if (whole && reusable && request_whole && connection_->in.empty())
        pool_.give_back(std::move(connection_), worker_.now(), keep_alive_seconds);
    if (!whole && !head.empty() && !client_failed_) {  // nothing of it was sent yet
        answer_begun_ = false;
        keep_alive_ = false;
        co_return co_await fail(Reason::upstream_unreachable, "the upstream's answer has a broken body");
    }
    if (!whole) {
        // The client must see that the answer was cut; with until_close only a reset says so.
        if (delivery == http::Delivery::until_close) session_.transport().reset();
        session_.cut();
        co_return End::close;
    }
    // Whatever the client still sends must not reset the connection before it has read the answer.
    if (close) session_.linger_at_end();
    co_return close ? End::close : End::keep;
}

Task<bool> Exchange::send_to_client(std::string_view head, std::string_view body, std::string_view tail) {
    if (client_failed_) co_return false;
    WriteParts parts{head, body, tail};
    const auto now = session_.transport().try_write(parts);
    client_failed_ = static_cast<bool>(now.error);
    if (client_failed_) co_return false;
    advance(parts, now.bytes);
    if (size_of(parts) == 0) co_return true;
    const std::string rest(parts[0]);  // head may be scratch memory
    parts[0] = rest;
    const auto failed = co_await session_.transport().write_all(parts);
    client_failed_ = static_cast<bool>(failed);
    co_return !client_failed_;
}

// False: it ended before its end, on either side.
Task<bool> Exchange::relay_body(std::string& head, http::AnswerBody body, http::Delivery delivery,
                                std::uint64_t length) {
    Buffer& in = connection_->in;
    if (body != http::AnswerBody::length || length > large_read) session_.transport().hold_little();
    http::ChunkedReader chunks;
    std::uint64_t left = length;
    bool done = false;
    while (true) {
        std::string_view data = in.bytes();
        std::size_t consumed = data.size();
        if (body == http::AnswerBody::length) {
            consumed = static_cast<std::size_t>(std::min<std::uint64_t>(left, data.size()));
            data = data.substr(0, consumed);
            left -= consumed;
            done = left == 0;
        } else if (body == http::AnswerBody::chunked) {
            const auto piece = unchunk(chunks, in);
            if (piece.error != nullptr) co_return false;
            data = piece.data;
            consumed = piece.consumed;
            done = piece.done;
        }
        std::string_view tail;
        if (delivery == http::Delivery::chunked) {
            if (!data.empty()) {
                append_chunk_size(head, data.size());
                tail = done ? "\r\n0\r\n\r\n" : "\r\n";
            } else if (done) {
                tail = "0\r\n\r\n";
            }
        }
        if (!head.empty() || !data.empty() || !tail.empty()) {
            session_.arm_for_reader(body_timeout());
            const bool sent = co_await send_to_client(head, data, tail);
            if (!sent) co_return false;
            session_.record().bytes_out += data.size();
            head.clear();
        }
        in.consume(consumed);
        if (done) co_return true;
        session_.main.arm(worker_.now() + body_timeout());
        char* const room = in.prepare(large_read);
        const auto got = co_await connection_->transport.read_some(room, in.room());
        if (got.error) {
            if (body != http::AnswerBody::until_close || got.error != end_of_stream()) co_return false;
            if (delivery != http::Delivery::chunked) co_return true;
            co_return co_await send_to_client({}, {}, "0\r\n\r\n");
        }
        in.commit(got.bytes);
    }
}

void Exchange::consume_head() { session_.in().consume(std::exchange(head_size_, 0)); }

// Every way out that is no End::again comes by here or by relay_answer, so the head is never read as a second
// request.
Task<Exchange::End> Exchange::fail(Reason reason, const char* detail, int status) {
    consume_head();
    co_await stop_pump();
    connection_.reset();
    session_.record().outcome = telemetry::Outcome::deny;
    if (answer_begun_ || client_failed_) {
        session_.record().reason = reason;
        session_.cut();
        co_return End::close;
    }
    const bool unread = body_ == http::BodyKind::chunked ? !request_chunks_.done() : body_left_ != 0;
    const bool keep =
        keep_alive_ && !unread && !worker_.draining() && body_ == http::BodyKind::none && upgrade_.empty();
    const bool kept = co_await session_.refuse({reason, status, detail, {}, {}, 1}, keep);
    co_return kept ? End::keep : End::close;
}

Task<Exchange::End> Exchange::fail_for_pump() {
    switch (pump_) {
        case PumpState::bad_body:
            co_return co_await fail(Reason::bad_request, "the chunked body is broken", 400);
        case PumpState::client_slow:
            co_return co_await fail(Reason::bad_request, "the body did not come within timeouts.body", 408);
        case PumpState::upstream_slow:
            co_return co_await fail(Reason::upstream_timeout,
                                    "the upstream did not take the body within timeouts.body");
        case PumpState::client_gone:
            client_failed_ = true;
            co_return co_await fail(Reason::bad_request, "the client went away");
        default:
            co_return co_await fail(Reason::upstream_unreachable,
                                    "the upstream closed the connection without an answer");
    }
}

}  // namespace signet::net
