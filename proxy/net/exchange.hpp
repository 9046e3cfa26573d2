// One admitted request: to the upstream, and the answer back. Bodies stream in both directions without being
// held. Three sources: exchange.cpp has the steps, request_body.cpp the body on its way up, tunnel.cpp what
// follows a 101.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/chunked.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"
#include "http/upstream_head.hpp"
#include "net/session.hpp"

namespace signet::net {

class Exchange {
  public:
    enum class End : std::uint8_t {
        keep,
        close,
        again
    };  // again: nothing was answered, ask once more on a new connection

    // head: in scratch memory, read before the first wait only. It stands in session.in() with head_size
    // bytes.
    Exchange(Session& session, LocalGenerationPtr generation, UpstreamPool& pool,
             const http::RequestHead& head, std::size_t head_size);
    ~Exchange();
    Exchange(const Exchange&) = delete;

    Task<End> run(const http::UpstreamHead& head, bool fresh_connection);

    // ---- the session's worker, between two steps ----
    void cancel();
    void client_left();
    void abort();

  private:
    enum class PumpState : std::uint8_t {
        idle,
        running,
        done,
        client_gone,
        client_slow,
        bad_body,
        upstream_gone,
        upstream_slow,
        cancelled
    };

    Task<End> run_steps(const http::UpstreamHead& head, bool fresh_connection);
    Task<bool> open(std::string_view head, bool fresh_connection);
    Task<bool> connect_any(std::size_t first);
    void consume_head();
    void start_body();
    Task<> pump_body();
    Task<PumpState> pump_step();
    Task<> stop_pump();
    // The request will never be whole, so its answer is not waited for.
    [[nodiscard]] bool pump_failed() const {
        return pump_ == PumpState::client_gone || pump_ == PumpState::client_slow ||
               pump_ == PumpState::bad_body || pump_ == PumpState::cancelled;
    }
    Task<bool> read_answer_head();
    Task<bool> pass_interim();
    Task<End> relay_answer();
    Task<bool> relay_body(std::string& head, http::AnswerBody body, http::Delivery delivery,
                          std::uint64_t length);
    Task<bool> send_to_client(std::string_view head, std::string_view body, std::string_view tail);
    Task<End> tunnel();
    Task<> tunnel_one_way(Transport& from, Buffer& buffer, Transport& to, bool& ended,
                          const bool& other_ended, std::uint64_t& count);
    Task<End> fail(Reason reason, const char* detail, int status = 0);
    Task<End> fail_for_pump();

    [[nodiscard]] bool may_retry() const { return retriable_ && connection_->reused && !session_.aborted(); }
    [[nodiscard]] milliseconds body_timeout() const;

    Session& session_;
    Worker& worker_;
    LocalGenerationPtr generation_;  // keeps the pool
    UpstreamPool& pool_;
    UpstreamConnectionPtr connection_;

    // Of the request, copied: the head's memory is reused while we wait.
    bool to_head_;
    bool http11_;
    bool keep_alive_;
    std::string upgrade_;  // the protocol asked for; empty: none
    bool retriable_;
    http::BodyKind body_;
    std::size_t head_size_;
    std::uint64_t body_left_;
    http::ChunkedReader request_chunks_;

    PumpState pump_ = PumpState::idle;
    bool connecting_ = false;
    bool stop_pump_ = false;
    bool pump_joined_ = true;  // no pump of ours is left that could touch this object
    Event pump_ended_;
    bool answer_begun_ = false;  // bytes of the final answer went to the client
    bool client_failed_ = false;
    std::size_t answer_head_size_ = 0;
    int interims_ = 0;
};

}  // namespace signet::net
