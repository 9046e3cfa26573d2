// What an upgrade turns a connection into.

#include "net/exchange.hpp"

namespace signet::net {
namespace {

constexpr std::size_t piece = 16 * 1024;

}  // namespace

// After the 101 and only then: bytes both ways, with what the client sent ahead first (CVE-2026-2833).
Task<Exchange::End> Exchange::tunnel() {
    auto& scratch = worker_.scratch;
    scratch.client_head.clear();
    http::make_client_head(scratch.client_head, scratch.response, http::Delivery::none, {true, false});
    connection_->in.consume(answer_head_size_);
    answer_begun_ = true;
    session_.main.arm(worker_.now() + body_timeout());
    const bool told = co_await send_to_client(scratch.client_head, {}, {});
    if (!told) co_return End::close;

    auto& record = session_.record();
    bool up_ended = false, down_ended = false;
    Event up_done(worker_.poller());
    spawn(tunnel_one_way(session_.transport(), session_.in(), connection_->transport, up_ended, down_ended,
                         record.bytes_in),
          [&](const std::exception_ptr&) {
              up_ended = true;
              // The client is done, and so the upstream has only so long to say the rest.
              if (!down_ended) session_.main.arm(worker_.now() + body_timeout());
              up_done.set();
          });
    std::exception_ptr failed;
    try {
        co_await tunnel_one_way(connection_->transport, connection_->in, session_.transport(), down_ended,
                                up_ended, record.bytes_out);
    } catch (...) {
        failed = std::current_exception();
        session_.transport().close();
        connection_->transport.close();
    }
    // The upstream is done. The client may have more to say for as long as a body may take; past that, its
    // read is cancelled.
    if (!up_ended) session_.main.arm(worker_.now() + body_timeout());
    while (!up_ended) co_await up_done;
    if (failed) std::rethrow_exception(failed);
    co_return End::close;
}

Task<> Exchange::tunnel_one_way(Transport& from, Buffer& buffer, Transport& to, bool& ended,
                                const bool& other_ended, std::uint64_t& count) {
    const auto idle = [&] {
        return other_ended ? body_timeout() : generation_->shared->settings->timeouts.tunnel;
    };
    while (true) {
        if (!buffer.empty()) {
            const auto bytes = buffer.bytes();
            session_.main.arm(worker_.now() + idle());
            const auto failed = co_await to.write_all({bytes, {}, {}});
            if (failed) break;
            count += bytes.size();
            buffer.consume(bytes.size());
        }
        session_.main.arm(worker_.now() + idle());
        char* const room = buffer.prepare(piece);
        const auto got = co_await from.read_some(room, buffer.room());
        if (got.error == end_of_stream()) {
            to.shutdown_send();
            break;
        }
        if (got.error) {
            to.close();
            from.close();
            break;
        }
        buffer.commit(got.bytes);
    }
    ended = true;
}

}  // namespace signet::net
