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

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr seconds longest_fetch{5};
constexpr int max_redirects = 3;
constexpr std::size_t max_answer = 256 * 1024;

struct Where {
    bool https = false;
    std::string host;  // without brackets
    std::string port;
    std::string target;

    [[nodiscard]] Endpoint endpoint() const {
        return {host, static_cast<std::uint16_t>(parse_decimal(port).value_or(0))};
    }
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

// A host that some would read as an IPv4 address, whatever else it looks like: 2852039166, 0xa9fea9fe, 127.1
// (WHATWG URL, "ends in a number"). What is judged here must be what a proxy or a resolver reaches.
bool ends_in_number(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    const auto label = host.substr(host.rfind('.') + 1);
    if (label.size() > 1 && label[0] == '0' && lower(label[1]) == 'x')
        return std::ranges::all_of(label.substr(2), [](char c) { return hex_value(c) >= 0; });
    return !label.empty() && std::ranges::all_of(label, is_digit);
}

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
    if (!ip && ends_in_number(out.host))
        return fault("'" + url + "': the host is a number, but no IPv4 address in four parts");
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

// All lines of a field as one list (RFC 9110 §5.3).
std::string joined(const http::fields& fields, http::field name) {
    std::string out;
    const auto [first, last] = fields.equal_range(name);
    for (auto it = first; it != last; ++it)
        out.append(out.empty() ? "" : ", ").append(std::string(it->value()));
    return out;
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
    out.answer.cache_control = joined(response, http::field::cache_control);
    out.answer.expires = std::string(response[http::field::expires]);
    out.answer.date = std::string(response[http::field::date]);
    out.answer.age = std::string(response[http::field::age]);
    out.answer.etag = std::string(response[http::field::etag]);
    if (!is_entity_tag(out.answer.etag)) out.answer.etag.clear();
    if (!out.answer.not_modified) out.answer.text = response.body();
    co_return out;
}

// How a document is reached: under which rules, through what, until when.
struct Road {
    const keys::Settings& settings;
    SystemResolver& resolver;
    const HttpProxy* proxy;  // null: directly
    SteadyTime until;
};

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
                                              const Road& road) {
    const HttpProxy* const proxy = road.proxy;
    const Endpoint there = proxy != nullptr ? proxy->endpoint : where.endpoint();
    auto addresses = co_await road.resolver.resolve(there.host, there.port, road.until);
    if (!addresses) co_return addresses.error();
    // Through a proxy only an address that stands in the URL can be judged: it is the proxy that resolves.
    std::vector<std::string> reached;
    if (proxy != nullptr)
        reached.push_back(where.host);
    else
        for (const auto& endpoint : *addresses) reached.push_back(endpoint.address().to_string());
    for (const auto& text : reached)
        if (const auto ip = parse_address(text); ip && is_link_local(*ip) && !road.settings.allow_link_local)
            co_return fault(where.host + " is a link-local address; allow_link_local: true permits it");
    stream.expires_at(road.until);
    if (const auto [error, used] = co_await stream.async_connect(*addresses, as_result); error)
        co_return fault(cause(error));
    if (proxy == nullptr) co_return std::nullopt;
    co_return co_await open_tunnel(stream, where, *proxy);
}

asio::awaitable<result<Got>> get_once(const Where& where, const Asked& asked, const Road& road) {
    const auto executor = co_await asio::this_coro::executor;
    if (!where.https) {
        beast::tcp_stream stream(executor);
        auto failed = co_await connect(stream, where, road);
        if (failed) co_return *failed;
        co_return co_await exchange(stream, where, asked);
    }
    const auto context = make_client_tls(road.settings.ca_file);
    if (!context) co_return context.error();
    beast::ssl_stream<beast::tcp_stream> stream(executor, **context);
    if (!expect_host(stream.native_handle(), where.host))
        co_return fault("the host's name cannot be checked");
    auto failed = co_await connect(beast::get_lowest_layer(stream), where, road);
    if (failed) {
        if (road.proxy == nullptr) co_return *failed;
        co_return fault("by the proxy " + road.proxy->endpoint.host + ": " + failed->message);
    }
    if (const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
        error)
        co_return fault("TLS: " + cause(error));
    co_return co_await exchange(stream, where, asked);
}

// One fetch of one document after the other.
class Fetcher {
  public:
    Fetcher(KeyFetch fetch, ProxyRules proxies, std::shared_ptr<SystemResolver> resolver)
        : fetch_(std::move(fetch)), proxies_(std::move(proxies)), resolver_(std::move(resolver)) {}

    asio::awaitable<result<FetchedKeys>> run();

  private:
    // conditional: with If-None-Match, where the URL is the one of the etag.
    asio::awaitable<result<Got>> get(std::string url, bool conditional);
    asio::awaitable<result<std::string>> discover();

    KeyFetch fetch_;
    const keys::Settings& settings_ = fetch_.settings;
    ProxyRules proxies_;
    std::shared_ptr<SystemResolver> resolver_;
    std::string discovery_error_;
};

// Follows redirects on the same host, port and scheme only.
asio::awaitable<result<Got>> Fetcher::get(std::string url, bool conditional) {
    auto where = parse_where(url, settings_);
    if (!where) co_return where.error();
    const SteadyTime until = std::chrono::steady_clock::now() + longest_fetch;  // redirects included
    Asked asked;
    const auto configured = parse_where(settings_.location, settings_);
    if (!settings_.bearer_token_file.empty() && where->https && configured &&
        where->host == configured->host && where->port == configured->port) {
        std::ifstream in(settings_.bearer_token_file);
        std::getline(in, asked.bearer);
        if (asked.bearer.ends_with('\r')) asked.bearer.pop_back();
        if (asked.bearer.empty()) co_return fault(settings_.bearer_token_file + ": no token in it");
    }
    // http:// is for loopback and for those who said so: never by the proxy.
    const HttpProxy* const proxy = where->https ? proxies_.find(where->host, where->port) : nullptr;
    const Road road{settings_, *resolver_, proxy, until};
    for (int hops = 0;; ++hops) {
        asked.etag.clear();
        if (conditional && url == fetch_.etag_url) asked.etag = fetch_.etag;
        auto got = co_await get_once(*where, asked, road);
        if (!got) co_return fault(url + ": " + got.error().message);
        if (got->location.empty()) {
            if (got->answer.not_modified && got->answer.etag.empty()) got->answer.etag = asked.etag;
            got->answer.etag_url = url;
            co_return got;
        }
        if (hops == max_redirects) co_return fault(url + ": more than 3 redirects");
        const auto base = boost::urls::parse_uri(url);
        boost::urls::url next;
        const auto reference = boost::urls::parse_uri_reference(got->location);
        if (!base || !reference || !boost::urls::resolve(*base, *reference, next))
            co_return fault(url + ": a redirect that cannot be read");
        const auto there = parse_where(std::string(next.buffer()), settings_);
        if (!there || there->host != where->host || there->port != where->port ||
            there->https != where->https)
            co_return fault(url + ": a redirect to another host, port or scheme, which is not followed: " +
                            got->location);
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

result<std::string> jwks_uri_of(const json::Value& document, const keys::Settings& settings) {
    const auto issuer = document.find("issuer");
    std::string named(issuer ? issuer->string().value_or("") : "");
    // A document for all tenants says {tenantid} where the configuration says {tenant}.
    if (const auto at = named.find("{tenantid}"); at != std::string::npos) named.replace(at, 10, "{tenant}");
    if (named.empty() || named != settings.issuer)
        return fault("the discovery document names another issuer than the configured one" +
                     (issuer && issuer->string() ? ": " + std::string(*issuer->string()) : std::string{}));
    const auto uri = document.find("jwks_uri");
    if (!uri || !uri->string()) return fault("the discovery document has no jwks_uri");
    return std::string(*uri->string());
}

// -> jwks_uri
asio::awaitable<result<std::string>> Fetcher::discover() {
    const bool guess = settings_.kind == keys::SourceKind::discovery;
    // Named, not temporaries of the co_await's own expression: gcc 12 destroys those twice.
    std::string url = settings_.location;
    if (guess) url = without_last_slash(settings_.issuer) + "/.well-known/openid-configuration";
    auto document = co_await get(url, false);
    if (!document && guess) {
        url = oauth_metadata_url(settings_.issuer);
        auto second = co_await get(url, false);
        if (second) document = std::move(second);
    }
    // A page that is no document at all says nothing of the issuer; one that is, and wrong, does.
    json::Document reader;
    if (document) {
        const auto root = reader.parse(document->answer.text);
        if (root && root->is_object()) co_return jwks_uri_of(*root, settings_);
        document = fault(url + ": the discovery document is not a JSON object");
    }
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
    auto got = co_await get(jwks_uri, true);
    if (!got) co_return got.error();
    auto& answer = got->answer;
    answer.jwks_uri = std::move(jwks_uri);
    answer.discovery_error = std::move(discovery_error_);
    co_return std::move(answer);
}

}  // namespace

void fetch_keys(asio::io_context& context, KeyFetch fetch, const ProxyRules& proxies,
                std::shared_ptr<SystemResolver> resolver, FetchDone done) {
    const auto fetcher = std::make_shared<Fetcher>(std::move(fetch), proxies, std::move(resolver));
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
