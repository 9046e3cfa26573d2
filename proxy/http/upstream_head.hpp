// The head that goes upstream: the client's, cleaned, with what we vouch for. The only head that net can
// write there.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "http/request_head.hpp"
#include "http/settings.hpp"
#include "http/target.hpp"
#include "policy/allow.hpp"

namespace signet::http {

// Who is asking, as far as we know it.
struct Peer {
    std::string_view address;  // text of the IP address
    bool trusted = false;      // in trusted_proxies: its X-Forwarded-* and X-Request-Id are believed
    bool tls = false;          // our own listener's
};

// What an upstream wants, prepared at load.
struct UpstreamForm {
    std::string path_prefix;     // put before the path, without a trailing slash
    std::string host;            // empty: the client's Host
    std::string added_lines;     // "Name: value\r\n", request_headers_to_add
    std::string payload_header;  // forward_payload_header, empty: none
};

class UpstreamHead {
  public:
    [[nodiscard]] std::string_view text() const { return text_; }

  private:
    friend UpstreamHead make_upstream_head(std::string& buffer, const RequestHead& head, const Target& target,
                                           const policy::Allow& allow, const Peer& peer,
                                           std::string_view request_id, const UpstreamForm& form,
                                           const Settings& settings);
    explicit UpstreamHead(std::string_view text) : text_(text) {}
    std::string_view text_;
};

// Writes into buffer (cleared first); the result views it. request_id: 1..128 of [A-Za-z0-9._-].
UpstreamHead make_upstream_head(std::string& buffer, const RequestHead& head, const Target& target,
                                const policy::Allow& allow, const Peer& peer, std::string_view request_id,
                                const UpstreamForm& form, const Settings& settings);

// The client's X-Request-Id if it may be kept, else empty.
std::string_view kept_request_id(const RequestHead& head, bool peer_trusted);

// The scheme of the request as far as it is known: our own TLS, or told by a trusted proxy.
enum class Scheme : std::uint8_t;
Scheme scheme_of(const RequestHead& head, const Peer& peer);

}  // namespace signet::http
