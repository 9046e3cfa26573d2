#include "http/metadata_response.hpp"

namespace signet::http {

int make_metadata_response(std::string& buffer, std::string_view document, bool preflight,
                           const AnswerContext& context) {
    const int status = preflight ? 204 : 200;
    buffer.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(status_phrase(status));
    buffer.append("\r\nAccess-Control-Allow-Origin: *\r\nX-Request-Id: ")
        .append(context.request_id)
        .append("\r\n");
    if (preflight) {
        buffer.append(
            "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\nAccess-Control-Allow-Headers: *\r\n"
            "Access-Control-Max-Age: 3600\r\n");
    } else {
        buffer.append("Content-Type: application/json\r\nCache-Control: max-age=300\r\nContent-Length: ");
        buffer.append(std::to_string(document.size())).append("\r\n");
    }
    append_connection(buffer, context);
    buffer.append("\r\n");
    if (!preflight && !context.to_head) buffer.append(document);
    return status;
}

}  // namespace signet::http
