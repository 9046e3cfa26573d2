// TLS contexts: the listener's, and those for upstreams and key fetches.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "net/settings.hpp"

namespace signet::net {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// TLS 1.2 and 1.3, forward-secret AEAD suites, ALPN http/1.1. A Fault names the file and what is wrong with
// it.
result<TlsContext> make_listener_tls(const ListenerTls& settings);

// Verifies the peer's chain against ca_file, or the system's store where that is empty.
result<TlsContext> make_client_tls(const std::string& ca_file);

// Before the handshake of one connection: SNI and the name that the certificate must bear (host or IP
// address).
bool expect_host(SSL* tls, const std::string& host);

}  // namespace signet::net
