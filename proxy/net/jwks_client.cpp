#include "net/jwks_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <fstream>

#include "base/json.hpp"
#include "base/text.hpp"
#include "net/cidr.hpp"
#include "net/tls.hpp"

namespace signet::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr seconds longest_fetch{5};
constexpr int max_redirects = 3;
constexpr std::size_t max_answer = 256 * 1024;

struct Where {
    bool https = false;
    std::string host;  // without brackets
    std::string port;
    std::string target;
};

struct Got {
    std::string body;
    std::optional<seconds> max_age;
    std::string location;  // of a redirect
};

result<Where> parse_where(const std::string& url, const keys::Settings& settings) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || !parsed->has_authority() || parsed->has_userinfo())
        return fault("'" + url + "' is not a URL to fetch");
    Where out;
    out.https = iequals(std::string(parsed->scheme()), "https");
    if (!out.https && !iequals(std::string(parsed->scheme()), "http"))
        return fault("'" + url + "' is neither https:// nor http://");
    // As text: Boost.URL lets a wrong port run into the path and a number wrap.
    const std::string encoded_host(parsed->encoded_host()), path(parsed->encoded_path()),
        port(parsed->port());
    const auto number = parse_decimal(port);
    if (encoded_host.find('%') != std::string::npos || (!path.empty() && path.front() != '/') ||
        (parsed->has_port() && (!number || *number == 0 || *number > 65535)))
        return fault("'" + url + "' is not a URL to fetch");
    out.host = encoded_host;
    if (out.host.starts_with('[')) out.host = out.host.substr(1, out.host.size() - 2);
    out.port = parsed->has_port() ? std::string(parsed->port()) : out.https ? "443" : "80";
    out.target = std::string(parsed->encoded_target());
    if (out.target.empty() || out.target.front() != '/') out.target.insert(0, "/");
    const auto ip = parse_address(out.host);
    const bool loopback = out.host == "localhost" || (ip && is_loopback(*ip));
    if (!out.https && !settings.allow_http && !loopback)
        return fault("'" + url +
                     "' is not https://; keys could be replaced on their way (allow_http: true permits it)");
    return out;
}

std::string cause(const boost::system::error_code& error) {
    return error == beast::error::timeout ? "no whole answer within 5 s" : error.message();
}

std::optional<seconds> max_age_of(std::string_view cache_control) {
    std::optional<seconds> out;
    for_each_element(cache_control, [&](std::string_view directive) {
        constexpr std::string_view name = "max-age=";
        if (directive.size() <= name.size() || !iequals(directive.substr(0, name.size()), name)) return;
        if (const auto n = parse_decimal(directive.substr(name.size())); n && *n > 0 && *n < 1'000'000'000)
            out = seconds(static_cast<std::int64_t>(*n));
    });
    return out;
}

template <class Stream>
asio::awaitable<result<Got>> exchange(Stream& stream, const Where& where, const std::string& bearer) {
    http::request<http::empty_body> request(http::verb::get, where.target, 11);
    const bool default_port = where.port == (where.https ? "443" : "80");
    const std::string host = where.host.find(':') == std::string::npos ? where.host : "[" + where.host + "]";
    request.set(http::field::host, default_port ? host : host + ":" + where.port);
    request.set(http::field::user_agent, "signet");
    request.set(http::field::accept, "application/jwk-set+json, application/json");
    request.set(http::field::accept_encoding, "identity");
    request.set(http::field::connection, "close");
    if (!bearer.empty()) request.set(http::field::authorization, "Bearer " + bearer);
    if (const auto [error, n] = co_await http::async_write(stream, request, as_result); error)
        co_return fault(cause(error));

    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(max_answer);
    parser.header_limit(32 * 1024);
    if (const auto [error, n] = co_await http::async_read(stream, buffer, parser, as_result); error) {
        if (error == http::error::body_limit) co_return fault("the answer is larger than 256 KiB");
        co_return fault(cause(error));
    }
    const auto& response = parser.get();
    Got out;
    const auto status = response.result_int();
    if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) {
        out.location = std::string(response[http::field::location]);
        if (out.location.empty()) co_return fault("a redirect to nowhere");
        co_return out;
    }
    if (status != 200) co_return fault("status " + std::to_string(status));
    const std::string encoding(response[http::field::content_encoding]);
    if (!encoding.empty() && !iequals(encoding, "identity"))
        co_return fault("the answer is compressed (" + encoding + "), which is not accepted");
    out.max_age = max_age_of(std::string(response[http::field::cache_control]));
    out.body = response.body();
    co_return out;
}

asio::awaitable<result<Got>> get_once(const Where& where, const keys::Settings& settings,
                                      const std::string& bearer, SteadyTime until) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    const auto [unresolved, found] = co_await resolver.async_resolve(where.host, where.port, as_result);
    if (unresolved) co_return fault("no address for " + where.host + ": " + unresolved.message());
    std::vector<tcp::endpoint> addresses;
    for (const auto& entry : found) {
        const auto ip = parse_address(entry.endpoint().address().to_string());
        if (ip && is_link_local(*ip) && !settings.allow_link_local)
            co_return fault(where.host + " is a link-local address; allow_link_local: true permits it");
        addresses.push_back(entry.endpoint());
    }
    if (!where.https) {
        beast::tcp_stream stream(executor);
        stream.expires_at(until);
        if (const auto [error, used] = co_await stream.async_connect(addresses, as_result); error)
            co_return fault(cause(error));
        co_return co_await exchange(stream, where, bearer);
    }
    const auto context = make_client_tls(settings.ca_file);
    if (!context) co_return context.error();
    beast::ssl_stream<beast::tcp_stream> stream(executor, **context);
    auto& lowest = beast::get_lowest_layer(stream);
    lowest.expires_at(until);
    if (!expect_host(stream.native_handle(), where.host))
        co_return fault("the host's name cannot be checked");
    if (const auto [error, used] = co_await lowest.async_connect(addresses, as_result); error)
        co_return fault(cause(error));
    if (const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
        error)
        co_return fault("TLS: " + cause(error));
    co_return co_await exchange(stream, where, bearer);
}

// Follows redirects on the same host and scheme only.
asio::awaitable<result<Got>> get(std::string url, const keys::Settings& settings,
                                 const std::string& bearer_for_host) {
    auto where = parse_where(url, settings);
    if (!where) co_return where.error();
    const SteadyTime until = std::chrono::steady_clock::now() + longest_fetch;  // redirects included
    std::string bearer;
    if (!settings.bearer_token_file.empty() && where->https && where->host == bearer_for_host) {
        std::ifstream in(settings.bearer_token_file);
        std::getline(in, bearer);
        if (bearer.empty()) co_return fault(settings.bearer_token_file + ": no token in it");
    }
    for (int hops = 0;; ++hops) {
        auto got = co_await get_once(*where, settings, bearer, until);
        if (!got) co_return fault(url + ": " + got.error().message);
        if (got->location.empty()) co_return got;
        if (hops == max_redirects) co_return fault(url + ": more than 3 redirects");
        const auto base = boost::urls::parse_uri(url);
        boost::urls::url next;
        const auto reference = boost::urls::parse_uri_reference(got->location);
        if (!base || !reference || !boost::urls::resolve(*base, *reference, next))
            co_return fault(url + ": a redirect that cannot be read");
        const auto there = parse_where(std::string(next.buffer()), settings);
        if (!there || there->host != where->host || there->port != where->port ||
            there->https != where->https)
            co_return fault(
                url + ": a redirect to another host or scheme, which is not followed: " + got->location);
        url = std::string(next.buffer());
        where = there;
    }
}

std::string without_last_slash(std::string s) {
    while (s.ends_with('/')) s.pop_back();
    return s;
}

// RFC 8414 §3.1: the well-known part goes between host and path.
std::string oauth_metadata_url(const std::string& issuer) {
    const auto scheme = issuer.find("://");
    const auto path = scheme == std::string::npos ? std::string::npos : issuer.find('/', scheme + 3);
    const std::string_view well_known = "/.well-known/oauth-authorization-server";
    if (path == std::string::npos) return issuer + std::string(well_known);
    return issuer.substr(0, path) + std::string(well_known) + without_last_slash(issuer.substr(path));
}

result<std::string> jwks_uri_of(const std::string& document_text, const keys::Settings& settings) {
    json::Document document;
    const auto root = document.parse(document_text);
    if (!root || !root->is_object()) return fault("the discovery document is not a JSON object");
    const auto issuer = root->find("issuer");
    if (!issuer || issuer->string() != settings.issuer)
        return fault("the discovery document names another issuer than the configured one" +
                     (issuer && issuer->string() ? ": " + std::string(*issuer->string()) : std::string{}));
    const auto uri = root->find("jwks_uri");
    if (!uri || !uri->string()) return fault("the discovery document has no jwks_uri");
    return std::string(*uri->string());
}

asio::awaitable<result<FetchedKeys>> fetch(keys::Settings settings) {
    std::string jwks_uri = settings.location;
    if (settings.kind != keys::SourceKind::jwks_uri) {
        const auto configured = parse_where(settings.location, settings);
        const std::string host = configured ? configured->host : "";
        const bool guess = settings.kind == keys::SourceKind::discovery;
        // Named, not temporaries of the co_await's own expression: gcc 12 destroys those twice.
        std::string url = settings.location;
        if (guess) url = without_last_slash(settings.issuer) + "/.well-known/openid-configuration";
        auto document = co_await get(url, settings, host);
        if (!document && guess) {
            url = oauth_metadata_url(settings.issuer);
            auto second = co_await get(url, settings, host);
            if (second) document = std::move(second);
        }
        if (!document) co_return document.error();
        auto uri = jwks_uri_of(document->body, settings);
        if (!uri) co_return uri.error();
        jwks_uri = std::move(*uri);
    }
    const auto configured = parse_where(settings.location, settings);
    std::string host;
    if (configured) host = configured->host;
    auto got = co_await get(jwks_uri, settings, host);
    if (!got) co_return got.error();
    co_return FetchedKeys{std::move(got->body), got->max_age, std::move(jwks_uri)};
}

}  // namespace

void fetch_keys(asio::io_context& context, const keys::Settings& settings, FetchDone done) {
    asio::co_spawn(context, fetch(settings),
                   [done = std::move(done)](const std::exception_ptr& failed, result<FetchedKeys> fetched) {
                       if (!failed) return done(std::move(fetched));
                       try {
                           std::rethrow_exception(failed);
                       } catch (const std::exception& e) {
                           done(fault(e.what()));
                       }
                   });
}

}  // namespace signet::net
