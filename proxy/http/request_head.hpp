// The head of a request, read once and strictly (RFC 9112). It is the framing gate: what two readers could
// understand differently is refused here, before any token work and before a byte goes upstream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/header_names.hpp"

namespace signet::http {

struct HeaderField {
    std::string_view name;
    std::string_view value;  // without outer white space
    HeaderKind kind;
};

enum class BodyKind : std::uint8_t { none, length, chunked };

// Views into the bytes it was read from; good as long as those. Reused from request to request.
struct RequestHead {
    std::string_view method;
    std::string_view target;          // as it came
    std::string_view path_and_query;  // origin-form of it
    std::string_view host;            // the Host field, port included; empty only in HTTP/1.0
    bool http11 = true;
    bool keep_alive = true;
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    bool expects_continue = false;
    std::string_view upgrade;  // protocol, where Connection: upgrade names it; h2c is left out
    std::vector<HeaderField> fields;
    std::vector<std::string_view>
        connection_options;  // named in Connection, besides close, keep-alive and upgrade

    [[nodiscard]] bool is_head() const { return method == "HEAD"; }
    [[nodiscard]] const HeaderField* find(HeaderId id) const;  // the first
    [[nodiscard]] bool is_connection_option(std::string_view name) const;
};

struct BadRequest {
    int status = 400;
    const char* detail = "";
};

// Each is looked for among all fields.
inline constexpr std::size_t max_connection_options = 32;

struct HeadLimits {
    std::size_t max_bytes = 32 * 1024;
    std::size_t max_fields = 100;
};

// Where the head ends. `scanned` is kept between calls with more bytes, so that nothing is looked at twice.
struct HeadEnd {
    enum class State : std::uint8_t { incomplete, complete, broken } state = State::incomplete;
    std::size_t size = 0;  // complete: bytes up to and with the empty line
    const char* detail = "";
};
HeadEnd find_head_end(std::string_view bytes, std::size_t& scanned);

// One empty line before a request line is skipped (RFC 9112 §2.2); how many bytes that is.
std::size_t leading_empty_line(std::string_view bytes);

// head: request line up to and with the empty line. Fills `out`; nullopt: good.
std::optional<BadRequest> parse_request_head(std::string_view head, const HeaderNames& names,
                                             const HeadLimits& limits, RequestHead& out);

// uri-host [":" port] as in RFC 9110 §7.2: no userinfo, path, comma or white space.
bool is_valid_host(std::string_view host);
std::string_view host_without_port(std::string_view host);
std::string_view port_of(std::string_view host);  // empty: none

bool is_token(std::string_view s);  // RFC 9110 §5.6.2, not empty

// Used by response_head too: one field line without its CRLF. nullptr: good, else what is wrong.
const char* parse_field_line(std::string_view line, HeaderField& field, std::uint32_t& name_hash);

}  // namespace signet::http
