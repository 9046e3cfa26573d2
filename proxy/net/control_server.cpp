#include "net/control_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <optional>

#include "http/deny_response.hpp"

namespace signet::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr seconds longest_wait{30};
constexpr seconds crowded_wait{3};
constexpr int crowd = 64;
constexpr int max_clients = 4096;

class Client : public std::enable_shared_from_this<Client> {
  public:
    Client(tcp::socket socket, std::shared_ptr<const PlainHandler> handler, std::shared_ptr<int> clients,
           std::size_t max_body)
        : stream_(std::move(socket)),
          handler_(std::move(handler)),
          clients_(std::move(clients)),
          max_body_(max_body) {
        ++*clients_;
    }
    ~Client() { --*clients_; }
    Client(const Client&) = delete;

    void read() {
        parser_.emplace();
        parser_->body_limit(max_body_);
        parser_->header_limit(16 * 1024);
        // Many who say nothing must not keep a probe out.
        stream_.expires_after(*clients_ > crowd ? crowded_wait : longest_wait);
        beast::http::async_read(
            stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
                if (!error) return self->ask();
                // What cannot be read is answered once and not read on.
                if (error.category() !=
                        beast::http::make_error_code(beast::http::error::bad_value).category() ||
                    error == beast::http::error::end_of_stream)
                    return;
                self->keep_alive_ = false;
                self->answer({error == beast::http::error::body_limit ? 413 : 400, "text/plain",
                              "the request cannot be read\n"});
            });
    }

  private:
    void ask() {
        const auto& message = parser_->get();
        PlainRequest request;
        request.method = std::string(message.method_string());
        request.target = std::string(message.target());
        for (const auto& field : message)
            request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
        request.body = message.body();
        keep_alive_ = message.keep_alive();
        to_head_ = request.method == "HEAD";
        stream_.expires_never();
        (*handler_)(std::move(request), [self = shared_from_this()](PlainResponse response) {
            asio::post(self->stream_.get_executor(),
                       [self, r = std::move(response)]() mutable { self->answer(std::move(r)); });
        });
    }

    void answer(PlainResponse r) {
        response_ = {};
        response_.version(11);
        response_.result(static_cast<unsigned>(r.status));
        response_.reason(beast::string_view(http::status_phrase(r.status)));
        if (r.status != 204) response_.set(beast::http::field::content_type, r.content_type);
        response_.set(beast::http::field::cache_control, "no-store");
        response_.set("X-Content-Type-Options", "nosniff");
        for (const auto& [name, value] : r.headers) response_.set(name, value);
        response_.keep_alive(keep_alive_);
        response_.body() = to_head_ ? std::string{} : std::move(r.body);
        if (r.status != 204) response_.prepare_payload();
        stream_.expires_after(longest_wait);
        beast::http::async_write(stream_, response_,
                                 [self = shared_from_this()](error_code error, std::size_t) {
                                     if (error) return;
                                     if (self->keep_alive_) return self->read();
                                     error_code ignored;
                                     self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                                 });
    }

    beast::tcp_stream stream_;
    std::shared_ptr<const PlainHandler> handler_;
    std::shared_ptr<int> clients_;
    std::size_t max_body_;
    beast::flat_buffer buffer_;
    std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
    beast::http::response<beast::http::string_body> response_;
    bool keep_alive_ = false;
    bool to_head_ = false;
};

}  // namespace

struct ControlServer::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, PlainHandler h, std::size_t most)
        : acceptor(context),
          pause(context),
          handler(std::make_shared<const PlainHandler>(std::move(h))),
          max_body(most) {}

    void accept() {
        acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
            if (!self->acceptor.is_open()) return;
            if (!error && *self->clients < max_clients)
                std::make_shared<Client>(std::move(socket), self->handler, self->clients, self->max_body)
                    ->read();
            if (!error) return self->accept();
            // Out of descriptors, most likely: take breath instead of spinning.
            self->pause.expires_after(milliseconds(50));
            self->pause.async_wait([self](error_code) { self->accept(); });
        });
    }

    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::shared_ptr<const PlainHandler> handler;
    std::size_t max_body;
    std::shared_ptr<int> clients = std::make_shared<int>(0);
};

ControlServer::ControlServer(asio::io_context& context, PlainHandler handler, std::size_t max_body)
    : impl_(std::make_shared<Impl>(context, std::move(handler), max_body)) {}

ControlServer::~ControlServer() { stop(); }

result<Address> ControlServer::listen(const Address& address) {
    error_code error;
    tcp::endpoint endpoint(asio::ip::make_address(address.host, error), address.port);
    if (error) {
        asio::io_context own;
        const auto found = tcp::resolver(own).resolve(address.host, std::to_string(address.port), error);
        if (error || found.empty()) return fault("listen " + address.host + ": " + error.message());
        endpoint = *found.begin();
    }
    impl_->acceptor.open(endpoint.protocol(), error);
    if (!error) impl_->acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) impl_->acceptor.bind(endpoint, error);
    if (!error) impl_->acceptor.listen(128, error);
    if (error)
        return fault("listen " + address.host + ":" + std::to_string(address.port) + ": " + error.message());
    impl_->accept();
    return Address{address.host, impl_->acceptor.local_endpoint().port()};
}

void ControlServer::stop() {
    error_code ignored;
    impl_->acceptor.close(ignored);
}

}  // namespace signet::net
