// What an upgrade turns a connection into.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>

#include "net/exchange.hpp"

namespace signet::net {
namespace {

constexpr auto as_result = asio::as_tuple(use_task);
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
    if (!co_await send_to_client(scratch.client_head, {}, {})) co_return End::close;

    auto& record = session_.record();
    bool up_ended = false, down_ended = false;
    Timer up_done(worker_.executor(), SteadyTime::max());
    asio::co_spawn(worker_.executor(),
                   tunnel_one_way(session_.transport(), session_.in(), connection_->transport, up_ended,
                                  record.bytes_in),
                   [&](const std::exception_ptr&) {
                       up_ended = true;
                       up_done.cancel();
                   });
    std::exception_ptr failed;
    try {
        co_await tunnel_one_way(connection_->transport, connection_->in, session_.transport(), down_ended,
                                record.bytes_out);
    } catch (...) {
        failed = std::current_exception();
        session_.transport().close();
        connection_->transport.close();
    }
    while (!up_ended) {
        // The upstream is done. The client may have more to say for as long as a body may take.
        up_done.expires_after(body_timeout());
        const auto [woken] = co_await up_done.async_wait(as_result);
        if (!woken || session_.main.expired) {
            session_.transport().close();
            connection_->transport.close();
        }
    }
    if (failed) std::rethrow_exception(failed);
    co_return End::close;
}

Task<> Exchange::tunnel_one_way(Transport& from, Buffer& buffer, Transport& to, bool& ended,
                                std::uint64_t& count) {
    const auto idle = generation_->shared->settings->timeouts.tunnel;
    while (true) {
        if (!buffer.empty()) {
            const auto bytes = buffer.bytes();
            session_.main.arm(worker_.now() + idle);
            if (co_await to.write_all({asio::buffer(bytes), asio::const_buffer(), asio::const_buffer()}))
                break;
            count += bytes.size();
            buffer.consume(bytes.size());
        }
        session_.main.arm(worker_.now() + idle);
        char* const room = buffer.prepare(piece);
        const auto got = co_await from.read_some({room, buffer.room()});
        if (got.error == asio::error::eof) {
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
