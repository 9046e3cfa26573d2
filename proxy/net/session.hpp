// One client connection: reads heads, asks the gate, answers refusals, and hands what is admitted to an
// Exchange.
#pragma once

#include <memory>
#include <string>

#include "http/deny_response.hpp"
#include "net/address.hpp"
#include "net/buffer.hpp"
#include "net/cidr.hpp"
#include "net/request_record.hpp"
#include "net/transport.hpp"
#include "net/worker.hpp"

namespace signet::net {

class Exchange;

class Session : public SessionHook {
  public:
    // socket: accepted, non-blocking, the session's from now on.
    Session(Worker& worker, int socket, const SocketAddress& peer);
    ~Session();
    Session(const Session&) = delete;

    // The connection's whole life; whoever runs it keeps the session.
    Task<> run();

    // ---- the worker, between two steps of the coroutine ----
    void check_deadlines(SteadyTime now);
    void end_if_idle(SteadyTime now);
    void abort();

    // ---- Exchange ----
    Worker& worker() { return worker_; }
    Transport& transport() { return transport_; }
    Buffer& in() { return in_; }
    RequestRecord& record() { return *record_; }  // of the request that is served

    // Two deadlines: of the main line, and of the request body's pump beside it. Past one, every operation of
    // this session and its exchange is cancelled, and the flag says why.
    struct Deadline {
        SteadyTime at = SteadyTime::max();
        bool expired = false;
        // Where it is not 0: how much longer from each byte that the client takes, and what it had taken.
        milliseconds span{0};
        std::uint64_t seen = 0;
        void arm(SteadyTime when) {
            at = when;
            expired = false;
            span = milliseconds{0};
        }
        void disarm() { at = SteadyTime::max(); }
    };
    Deadline main;
    Deadline pump;
    // The main line's, for as long as the client takes nothing of what is written to it.
    void arm_for_reader(milliseconds span);

    // Writes a denial. keep: the connection may serve again; else FIN, and what still comes is drained, so
    // that the client gets to see the answer.
    Task<bool> refuse(const http::Denial& denial, bool keep);
    Task<bool> send_own(const std::string& answer, bool keep);
    Task<bool> tell_metadata(std::string_view document, bool preflight, bool keep);
    // head (possibly in scratch memory) and body to the client, whole.
    Task<error_code> send(std::string_view head, std::string_view body);
    void linger_at_end() { linger_ = true; }
    void cut() { cut_ = true; }  // the end must not look orderly
    [[nodiscard]] bool aborted() const { return aborted_; }

  private:
    Task<bool> admit();
    Task<bool> serve_one(bool first);
    Task<bool> read_head(bool first, std::size_t& head_size);
    Task<bool> handle(std::size_t head_size);
    Task<> linger();
    void begin_record();
    void finish_record();
    [[nodiscard]] std::string client_of(const http::RequestHead& head, const http::Peer& peer) const;

    Worker& worker_;
    Transport transport_;
    Buffer in_;
    std::unique_ptr<RequestRecord> record_;
    std::string peer_text_;
    AddressBytes peer_address_{};
    Exchange* exchange_ = nullptr;  // while one runs
    bool idle_ = false;             // waiting for the first byte of a request
    bool served_ = false;           // a request, or what was taken for one
    bool cut_ = false;
    bool aborted_ = false;
    bool linger_ = false;  // a refusal was sent and more may come: let the client read it
};

}  // namespace signet::net
