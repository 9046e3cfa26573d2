#include "net/jwks_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
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
    FetchedKeys answer;
    std::string location;  // of a redirect
};

// What one request carries beyond its target.
struct Asked {
    std::string bearer;
    std::string etag;
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

// The host as it stands in a URL.
std::string in_url(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// One that can be sent back as it came (RFC 9110 §8.8.3).
bool is_entity_tag(std::string_view text) {
    if (text.starts_with("W/")) text.remove_prefix(2);
    return text.size() >= 2 && text.size() <= 256 && text.front() == '"' && text.back() == '"' &&
           std::ranges::all_of(text.substr(1, text.size() - 2),
                               [](char c) { return c == '!' || (c >= '#' && c <= '~'); });
}

template <class Stream>
asio::awaitable<result<Got>> exchange(Stream& stream, const Where& where, const Asked& asked) {
    http::request<http::empty_body> request(http::verb::get, where.target, 11);
    const bool default_port = where.port == (where.https ? "443" : "80");
    const std::string host = in_url(where.host);
    request.set(http::field::host, default_port ? host : host + ":" + where.port);
    request.set(http::field::user_agent, "signet");
    request.set(http::field::accept, "application/jwk-set+json, application/json");
    request.set(http::field::accept_encoding, "identity");
    request.set(http::field::connection, "close");
    if (!asked.bearer.empty()) request.set(http::field::authorization, "Bearer " + asked.bearer);
    if (!asked.etag.empty()) request.set(http::field::if_none_match, asked.etag);
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
    out.answer.not_modified = status == 304 && !asked.etag.empty();
    if (status != 200 && !out.answer.not_modified) co_return fault("status " + std::to_string(status));
    const std::string encoding(response[http::field::content_encoding]);
    if (!encoding.empty() && !iequals(encoding, "identity"))
        co_return fault("the answer is compressed (" + encoding + "), which is not accepted");
    out.answer.cache_control = std::string(response[http::field::cache_control]);
    out.answer.expires = std::string(response[http::field::expires]);
    out.answer.date = std::string(response[http::field::date]);
    out.answer.age = std::string(response[http::field::age]);
    out.answer.etag = std::string(response[http::field::etag]);
    if (!is_entity_tag(out.answer.etag)) out.answer.etag.clear();
    if (!out.answer.not_modified) out.answer.text = response.body();
    co_return out;
}

using Addresses = std::vector<tcp::endpoint>;

// The system's resolver cannot be stopped, so it is waited for no longer than the fetch may last; what it
// finds later goes to nobody.
asio::awaitable<result<Addresses>> resolve(std::string host, std::string port, SteadyTime until) {
    struct State {
        explicit State(const asio::any_io_executor& executor) : resolver(executor), news(executor) {}
        tcp::resolver resolver;
        asio::steady_timer news;
        std::optional<boost::system::error_code> end;
        Addresses found;
    };
    const auto executor = co_await asio::this_coro::executor;
    const auto state = std::make_shared<State>(executor);
    state->news.expires_at(until);
    state->resolver.async_resolve(host, port, [state](boost::system::error_code error, const auto& found) {
        state->end = error;
        for (const auto& entry : found) state->found.push_back(entry.endpoint());
        state->news.cancel();
    });
    co_await state->news.async_wait(as_result);
    if (!state->end) co_return fault("no address for " + host + " within 5 s");
    if (*state->end) co_return fault("no address for " + host + ": " + state->end->message());
    co_return std::move(state->found);
}

// RFC 9110 §9.3.6: after a 2xx the connection is the other side's.
asio::awaitable<std::optional<Fault>> open_tunnel(beast::tcp_stream& stream, const Where& where,
                                                  const HttpProxy& proxy) {
    const std::string authority = in_url(where.host) + ":" + where.port;
    http::request<http::empty_body> request(http::verb::connect, authority, 11);
    request.set(http::field::host, authority);
    request.set(http::field::user_agent, "signet");
    if (!proxy.authorization.empty()) request.set(http::field::proxy_authorization, proxy.authorization);
    if (const auto [error, n] = co_await http::async_write(stream, request, as_result); error)
        co_return fault(cause(error));
    beast::flat_buffer buffer;
    http::response_parser<http::empty_body> parser;
    parser.skip(true);  // whatever the head says, no body follows
    parser.header_limit(32 * 1024);
    if (const auto [error, n] = co_await http::async_read_header(stream, buffer, parser, as_result); error)
        co_return fault(cause(error));
    const auto status = parser.get().result_int();
    if (status / 100 != 2) co_return fault("CONNECT " + authority + ": status " + std::to_string(status));
    if (buffer.size() != 0) co_return fault("CONNECT " + authority + ": it speaks before it is spoken to");
    co_return std::nullopt;
}

// A connection to the host, or through the proxy to it.
asio::awaitable<std::optional<Fault>> connect(beast::tcp_stream& stream, const Where& where,
                                              const keys::Settings& settings, const HttpProxy* proxy,
                                              SteadyTime until) {
    const std::string host = proxy != nullptr ? proxy->endpoint.host : where.host;
    const std::string port = proxy != nullptr ? std::to_string(proxy->endpoint.port) : where.port;
    auto addresses = co_await resolve(host, port, until);
    if (!addresses) co_return addresses.error();
    // Through a proxy only an address that stands in the URL can be judged: it is the proxy that resolves.
    std::vector<std::string> reached;
    if (proxy != nullptr)
        reached.push_back(where.host);
    else
        for (const auto& endpoint : *addresses) reached.push_back(endpoint.address().to_string());
    for (const auto& text : reached)
        if (const auto ip = parse_address(text); ip && is_link_local(*ip) && !settings.allow_link_local)
            co_return fault(where.host + " is a link-local address; allow_link_local: true permits it");
    stream.expires_at(until);
    if (const auto [error, used] = co_await stream.async_connect(*addresses, as_result); error)
        co_return fault(cause(error));
    if (proxy == nullptr) co_return std::nullopt;
    co_return co_await open_tunnel(stream, where, *proxy);
}

asio::awaitable<result<Got>> get_once(const Where& where, const keys::Settings& settings, const Asked& asked,
                                      const HttpProxy* proxy, SteadyTime until) {
    const auto executor = co_await asio::this_coro::executor;
    if (!where.https) {
        beast::tcp_stream stream(executor);
        auto failed = co_await connect(stream, where, settings, nullptr, until);
        if (failed) co_return *failed;
        co_return co_await exchange(stream, where, asked);
    }
    const auto context = make_client_tls(settings.ca_file);
    if (!context) co_return context.error();
    beast::ssl_stream<beast::tcp_stream> stream(executor, **context);
    if (!expect_host(stream.native_handle(), where.host))
        co_return fault("the host's name cannot be checked");
    auto failed = co_await connect(beast::get_lowest_layer(stream), where, settings, proxy, until);
    if (failed) {
        if (proxy == nullptr) co_return *failed;
        co_return fault("by the proxy " + proxy->endpoint.host + ": " + failed->message);
    }
    if (const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
        error)
        co_return fault("TLS: " + cause(error));
    co_return co_await exchange(stream, where, asked);
}

// One fetch of one document after the other.
class Fetcher {
  public:
    Fetcher(KeyFetch fetch, ProxyRules proxies)
        : fetch_(std::move(fetch)), settings_(fetch_.settings), proxies_(std::move(proxies)) {}

    asio::awaitable<result<FetchedKeys>> run();

  private:
    asio::awaitable<result<Got>> get(std::string url, std::string etag);
    asio::awaitable<result<std::string>> discover();

    KeyFetch fetch_;
    const keys::Settings& settings_;
    ProxyRules proxies_;
    std::string discovery_error_;
};

// Follows redirects on the same host and scheme only.
asio::awaitable<result<Got>> Fetcher::get(std::string url, std::string etag) {
    auto where = parse_where(url, settings_);
    if (!where) co_return where.error();
    const SteadyTime until = std::chrono::steady_clock::now() + longest_fetch;  // redirects included
    Asked asked{{}, std::move(etag)};
    const auto configured = parse_where(settings_.location, settings_);
    if (!settings_.bearer_token_file.empty() && where->https && configured &&
        where->host == configured->host) {
        std::ifstream in(settings_.bearer_token_file);
        std::getline(in, asked.bearer);
        if (asked.bearer.empty()) co_return fault(settings_.bearer_token_file + ": no token in it");
    }
    const HttpProxy* const proxy = proxies_.find(where->host, where->port);
    for (int hops = 0;; ++hops) {
        auto got = co_await get_once(*where, settings_, asked, proxy, until);
        if (!got) co_return fault(url + ": " + got.error().message);
        if (got->location.empty()) co_return got;
        if (hops == max_redirects) co_return fault(url + ": more than 3 redirects");
        const auto base = boost::urls::parse_uri(url);
        boost::urls::url next;
        const auto reference = boost::urls::parse_uri_reference(got->location);
        if (!base || !reference || !boost::urls::resolve(*base, *reference, next))
            co_return fault(url + ": a redirect that cannot be read");
        const auto there = parse_where(std::string(next.buffer()), settings_);
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

// -> jwks_uri
asio::awaitable<result<std::string>> Fetcher::discover() {
    const bool guess = settings_.kind == keys::SourceKind::discovery;
    // Named, not temporaries of the co_await's own expression: gcc 12 destroys those twice.
    std::string url = settings_.location;
    if (guess) url = without_last_slash(settings_.issuer) + "/.well-known/openid-configuration";
    auto document = co_await get(url, {});
    if (!document && guess) {
        url = oauth_metadata_url(settings_.issuer);
        auto second = co_await get(url, {});
        if (second) document = std::move(second);
    }
    if (document) co_return jwks_uri_of(document->answer.text, settings_);
    discovery_error_ = document.error().message;
    if (fetch_.known_jwks_uri.empty()) co_return document.error();
    co_return fetch_.known_jwks_uri;
}

asio::awaitable<result<FetchedKeys>> Fetcher::run() {
    std::string jwks_uri = settings_.location;
    if (settings_.kind != keys::SourceKind::jwks_uri) {
        auto found = co_await discover();
        if (!found) co_return found.error();
        jwks_uri = std::move(*found);
    }
    std::string etag;
    if (jwks_uri == fetch_.known_from) etag = fetch_.etag;
    auto got = co_await get(jwks_uri, etag);
    if (!got) co_return got.error();
    auto& answer = got->answer;
    answer.jwks_uri = std::move(jwks_uri);
    answer.discovery_error = std::move(discovery_error_);
    if (answer.not_modified && answer.etag.empty()) answer.etag = std::move(etag);
    co_return std::move(answer);
}

}  // namespace

void fetch_keys(asio::io_context& context, KeyFetch fetch, const ProxyRules& proxies, FetchDone done) {
    const auto fetcher = std::make_shared<Fetcher>(std::move(fetch), proxies);
    // The completion keeps it until the coroutine, which is a member of it, has ended.
    asio::co_spawn(
        context, fetcher->run(),
        [fetcher, done = std::move(done)](const std::exception_ptr& failed, result<FetchedKeys> fetched) {
            if (!failed) return done(std::move(fetched));
            try {
                std::rethrow_exception(failed);
            } catch (const std::exception& e) {
                done(fault(e.what()));
            }
        });
}

}  // namespace signet::net
