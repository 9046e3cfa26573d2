#include "net/tls.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstring>

#include "net/cidr.hpp"

namespace signet::net {
namespace {

namespace ssl = boost::asio::ssl;

constexpr const char* suites_tls12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned int in_size, void*) {
    static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1',
                                             8, 'h', 't', 't', 'p', '/', '1', '.', '0'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, in, in_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 §3.2
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

TlsContext make_context(ssl::context::method method) {
    auto context = std::make_shared<ssl::context>(method);
    SSL_CTX* const native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(native, suites_tls12);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_read_ahead(native, 1);  // one read for a record, not one for its head and one for the rest
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

}  // namespace

result<TlsContext> make_listener_tls(const ListenerTls& settings) {
    auto context = make_context(ssl::context::tls_server);
    boost::system::error_code error;
    context->use_certificate_chain_file(settings.certificate_file, error);
    if (error) return fault(settings.certificate_file + ": no PEM certificate chain: " + error.message());
    context->use_private_key_file(settings.private_key_file, ssl::context::pem, error);
    if (error)
        return fault(settings.private_key_file +
                     ": no PEM private key that fits the certificate: " + error.message());
    SSL_CTX_set_alpn_select_cb(context->native_handle(), choose_protocol, nullptr);
    SSL_CTX_set_options(context->native_handle(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    return context;
}

result<TlsContext> make_client_tls(const std::string& ca_file) {
    auto context = make_context(ssl::context::tls_client);
    boost::system::error_code error;
    if (ca_file.empty())
        context->set_default_verify_paths(error);
    else
        context->load_verify_file(ca_file, error);
    if (error)
        return fault((ca_file.empty() ? std::string("the system's certificates") : ca_file) + ": " +
                     error.message());
    context->set_verify_mode(ssl::verify_peer);
    return context;
}

bool expect_host(SSL* tls, const std::string& host) {
    X509_VERIFY_PARAM* const expected = SSL_get0_param(tls);
    if (parse_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    const_cast<char*>(host.c_str())) == 1 &&
           X509_VERIFY_PARAM_set1_host(expected, host.c_str(), 0) == 1;
}

}  // namespace signet::net
