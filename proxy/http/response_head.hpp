// The head of an upstream's answer, read as strictly as a request's, and the head that the client gets for
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_head.hpp"

namespace signet::http {

enum class AnswerBody : std::uint8_t { none, length, chunked, until_close };

// Views into the bytes it was read from. Reused from answer to answer.
struct ResponseHead {
    int status = 0;
    std::string_view reason;
    AnswerBody body = AnswerBody::none;
    std::uint64_t content_length = 0;                 // UINT64_MAX: the answer names none
    bool keep_alive = true;                           // the upstream's connection may serve again
    std::optional<std::uint32_t> keep_alive_timeout;  // Keep-Alive: timeout=, seconds
    std::string_view upgrade;
    std::vector<HeaderField> fields;
    std::vector<std::string_view> connection_options;

    [[nodiscard]] bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
};

inline constexpr std::size_t max_response_head = 64 * 1024;
inline constexpr std::size_t max_response_fields = 200;

// to_head, to_upgrade: what the request was, and the protocol that it asked for (empty: none). nullptr: good,
// else what is wrong: a 502, and the connection is dropped.
const char* parse_response_head(std::string_view bytes, bool to_head, std::string_view to_upgrade,
                                ResponseHead& out);

// How the client is to get the body.
enum class Delivery : std::uint8_t { none, length, chunked, until_close };

struct ClientSide {
    bool http11 = true;
    bool close = false;  // the connection ends after this answer
};

Delivery delivery_for(const ResponseHead& head, bool client_http11);

// Appends the client's head to buffer: hop-by-hop fields gone, framing ours.
void make_client_head(std::string& buffer, const ResponseHead& head, Delivery delivery,
                      const ClientSide& client);

}  // namespace signet::http
