#include "net/http_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace signet::net {

result<PlainResponse> ask(const Endpoint& endpoint, const PlainRequest& request) {
    namespace beast = boost::beast;
    namespace http = boost::beast::http;
    boost::asio::io_context context;
    boost::asio::ip::tcp::resolver resolver(context);
    boost::system::error_code error;
    const auto where = endpoint.host + ":" + std::to_string(endpoint.port);
    const auto addresses = resolver.resolve(endpoint.host, std::to_string(endpoint.port), error);
    if (error) return fault(where + ": " + error.message());

    beast::tcp_stream stream(context);
    http::request<http::string_body> message(http::string_to_verb(request.method), request.target, 11);
    message.set(http::field::host, endpoint.host.find(':') == std::string::npos
                                       ? where
                                       : "[" + endpoint.host + "]:" + std::to_string(endpoint.port));
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.body() = request.body;
    message.set(http::field::connection, "close");
    if (!request.body.empty()) message.prepare_payload();
    beast::flat_buffer buffer;
    http::response<http::string_body> answer;
    // Asynchronous steps, so that one deadline covers them all.
    stream.expires_after(std::chrono::seconds(10));
    stream.async_connect(addresses, [&](boost::system::error_code e, const auto&) {
        if ((error = e)) return;
        http::async_write(stream, message, [&](boost::system::error_code e2, std::size_t) {
            if ((error = e2)) return;
            http::async_read(stream, buffer, answer,
                             [&](boost::system::error_code e3, std::size_t) { error = e3; });
        });
    });
    context.run();
    if (error) return fault(where + ": " + error.message());
    PlainResponse out;
    out.status = static_cast<int>(answer.result_int());
    out.content_type = std::string(answer[http::field::content_type]);
    out.body = answer.body();
    for (const auto& field : answer)
        out.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    return out;
}

}  // namespace signet::net
