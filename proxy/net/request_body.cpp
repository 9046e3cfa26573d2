// The request's body on its way up, beside the answer that may already be coming down.

#include "net/chunk_relay.hpp"
#include "net/exchange.hpp"

namespace signet::net {
namespace {

constexpr std::size_t small_read = 16 * 1024;
constexpr std::size_t large_read = 32 * 1024;  // copied in and out while the cache has it

}  // namespace

void Exchange::start_body() {
    const bool left =
        body_ == http::BodyKind::chunked || (body_ == http::BodyKind::length && body_left_ != 0);
    if (!left) return;
    pump_ = PumpState::running;
    pump_joined_ = false;
    spawn(pump_body(), [this](const std::exception_ptr& failed) {
        if (failed || pump_ == PumpState::running) pump_ = PumpState::client_gone;
        session_.pump.disarm();
        // Who waits for an answer that cannot come any more is woken.
        if (pump_failed() && connection_) connection_->transport.cancel();
        pump_joined_ = true;
        pump_ended_.set();
    });
}

Task<> Exchange::pump_body() {
    while (pump_ == PumpState::running && !stop_pump_) {
        const auto next = co_await pump_step();
        if (next != PumpState::running) {
            pump_ = next;
            co_return;
        }
        // Progress here is progress for the answer's clock too.
        if (!answer_begun_ && answer_head_size_ == 0)
            session_.main.arm(worker_.now() + pool_.settings().response_timeout);
    }
}

Task<Exchange::PumpState> Exchange::pump_step() {
    Buffer& in = session_.in();
    if (in.empty()) {
        session_.pump.arm(worker_.now() + body_timeout());
        char* const room =
            in.prepare(body_left_ > small_read || body_ == http::BodyKind::chunked ? large_read : small_read);
        const auto got = co_await session_.transport().read_some(room, in.room());
        if (got.error)
            co_return session_.pump.expired       ? PumpState::client_slow
            : session_.main.expired || stop_pump_ ? PumpState::cancelled
                                                  : PumpState::client_gone;
        in.commit(got.bytes);
        if (stop_pump_) co_return PumpState::cancelled;
    }
    WriteParts parts;
    std::string size_line;
    std::size_t consumed = 0;
    bool done = false;
    if (body_ == http::BodyKind::length) {
        consumed = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, in.size()));
        parts[1] = in.bytes().substr(0, consumed);
        body_left_ -= consumed;
        session_.record().bytes_in += consumed;
        done = body_left_ == 0;
    } else {
        const auto piece = unchunk(request_chunks_, in);
        if (piece.error != nullptr) co_return PumpState::bad_body;
        consumed = piece.consumed;
        done = piece.done;
        session_.record().bytes_in += piece.data.size();
        if (!piece.data.empty()) append_chunk_size(size_line, piece.data.size());
        parts = {size_line, piece.data,
                 done                 ? (piece.data.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n")
                 : piece.data.empty() ? ""
                                      : "\r\n"};
    }
    if (size_of(parts) != 0) {
        session_.pump.arm(worker_.now() + body_timeout());
        const auto failed = co_await connection_->transport.write_all(parts);
        if (failed) co_return session_.pump.expired ? PumpState::upstream_slow : PumpState::upstream_gone;
    }
    in.consume(consumed);
    co_return done ? PumpState::done : PumpState::running;
}

Task<> Exchange::stop_pump() {
    stop_pump_ = true;
    if (pump_joined_) co_return;
    // It waits, for the client or for the upstream: all else it does without a pause.
    session_.transport().cancel();
    if (connection_) connection_->transport.cancel();
    while (!pump_joined_) co_await pump_ended_;
}

}  // namespace signet::net
