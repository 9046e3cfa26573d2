#include "http/response_head.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace signet::http {
namespace {

enum class AnswerField : std::uint8_t {
    other,
    connection,
    content_length,
    transfer_encoding,
    keep_alive,
    upgrade,
    dropped
};

AnswerField classify(std::string_view name) {
    switch (name.size()) {
        case 2:
            return iequals(name, "TE") ? AnswerField::dropped : AnswerField::other;
        case 7:
            if (iequals(name, "Upgrade")) return AnswerField::upgrade;
            return iequals(name, "Trailer") ? AnswerField::dropped : AnswerField::other;
        case 10:
            if (iequals(name, "Connection")) return AnswerField::connection;
            return iequals(name, "Keep-Alive") ? AnswerField::keep_alive : AnswerField::other;
        case 14:
            return iequals(name, "Content-Length") ? AnswerField::content_length : AnswerField::other;
        case 16:
            return iequals(name, "Proxy-Connection") ? AnswerField::dropped : AnswerField::other;
        case 17:
            return iequals(name, "Transfer-Encoding") ? AnswerField::transfer_encoding : AnswerField::other;
        default:
            return AnswerField::other;
    }
}

struct Seen {
    bool content_length = false;
    bool chunked = false;
    bool close = false;
    bool keep_alive = false;
};

const char* parse_status_line(std::string_view line, ResponseHead& out, bool& http11) {
    if (line.size() < 12 || (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")))
        return "an answer that is not HTTP/1.1 or HTTP/1.0";
    http11 = line[7] == '1';
    const auto status = parse_decimal(line.substr(9, 3));
    if (!status || *status < 100 || *status > 599 || (line.size() > 12 && line[12] != ' '))
        return "an answer with a broken status line";
    out.status = static_cast<int>(*status);
    out.reason = line.size() > 13 ? line.substr(13) : std::string_view{};
    for (const char c : out.reason) {
        const auto b = static_cast<unsigned char>(c);
        if ((b < 0x20 && c != '\t') || b == 0x7F) return "a control character in the reason phrase";
    }
    return nullptr;
}

std::optional<std::uint32_t> timeout_of(std::string_view keep_alive) {
    std::optional<std::uint32_t> seconds;
    for_each_element(keep_alive, [&](std::string_view parameter) {
        constexpr std::string_view name = "timeout=";
        if (parameter.size() <= name.size() || !iequals(parameter.substr(0, name.size()), name)) return;
        if (const auto n = parse_decimal(parameter.substr(name.size())); n && *n < 1'000'000)
            seconds = static_cast<std::uint32_t>(*n);
    });
    return seconds;
}

const char* take_field(HeaderField& field, Seen& seen, ResponseHead& out) {
    switch (classify(field.name)) {
        case AnswerField::other:
            return nullptr;
        case AnswerField::connection:
            for_each_element(field.value, [&](std::string_view option) {
                if (iequals(option, "close"))
                    seen.close = true;
                else if (iequals(option, "keep-alive"))
                    seen.keep_alive = true;
                else if (!option.empty() && !iequals(option, "upgrade"))
                    out.connection_options.push_back(option);
            });
            if (out.connection_options.size() > max_connection_options)
                return "too many options in Connection";
            break;
        case AnswerField::content_length: {
            const auto length = parse_decimal(field.value);
            if (!length || *length > (std::uint64_t{1} << 62))
                return "a Content-Length that is not a plain number";
            if (seen.content_length) return "more than one Content-Length";
            seen.content_length = true;
            out.content_length = *length;
            break;
        }
        case AnswerField::transfer_encoding:
            if (seen.chunked || !iequals(field.value, "chunked"))
                return "a transfer coding other than chunked";
            seen.chunked = true;
            break;
        case AnswerField::keep_alive:
            out.keep_alive_timeout = timeout_of(field.value);
            break;
        case AnswerField::upgrade:
            if (!out.upgrade.empty()) return "more than one Upgrade";
            out.upgrade = field.value;
            break;
        case AnswerField::dropped:
            break;
    }
    field.kind.drop = Drop::always;
    return nullptr;
}

}  // namespace

const char* parse_response_head(std::string_view bytes, bool to_head, std::string_view to_upgrade,
                                ResponseHead& out) {
    out.fields.clear();
    out.connection_options.clear();
    out.content_length = 0;
    out.keep_alive_timeout.reset();
    out.upgrade = {};
    bool http11 = true;
    const auto first_line = bytes.find("\r\n");
    if (first_line == std::string_view::npos) return "an answer without a status line";
    if (const char* wrong = parse_status_line(bytes.substr(0, first_line), out, http11)) return wrong;
    Seen seen;
    std::string_view rest = bytes.substr(first_line + 2);
    while (true) {
        const auto end = rest.find('\r');
        if (end == std::string_view::npos || end + 1 >= rest.size() || rest[end + 1] != '\n')
            return "a CR without LF in the answer's head";
        if (end == 0) break;
        if (out.fields.size() == max_response_fields) return "too many fields in the answer";
        HeaderField field;
        std::uint32_t hash = 0;
        if (const char* wrong = parse_field_line(rest.substr(0, end), field, hash)) return wrong;
        if (const char* wrong = take_field(field, seen, out)) return wrong;
        out.fields.push_back(field);
        rest.remove_prefix(end + 2);
    }
    if (seen.chunked && seen.content_length) return "both Content-Length and Transfer-Encoding in the answer";
    if (seen.chunked && !http11) return "Transfer-Encoding in an HTTP/1.0 answer";
    if (out.status == 101 && (to_upgrade.empty() || !iequals(out.upgrade, to_upgrade)))
        return "a 101 to a protocol that nobody asked for";
    const bool announces_body = seen.chunked || (seen.content_length && out.content_length != 0);
    out.keep_alive = !seen.close && (http11 || seen.keep_alive);
    // RFC 9112 §6.3
    if (to_head || out.status < 200 || out.status == 204 || out.status == 304) {
        out.body = AnswerBody::none;
        // What it announces and may not have would come to the next request.
        if (!to_head && (out.status == 204 ? announces_body : seen.chunked)) out.keep_alive = false;
    } else if (seen.chunked) {
        out.body = AnswerBody::chunked;
    } else if (seen.content_length) {
        out.body = out.content_length == 0 ? AnswerBody::none : AnswerBody::length;
    } else {
        out.body = AnswerBody::until_close;
        out.keep_alive = false;
    }
    if (!seen.content_length) out.content_length = UINT64_MAX;  // make_client_head: no length to repeat
    return nullptr;
}

Delivery delivery_for(const ResponseHead& head, bool client_http11) {
    switch (head.body) {
        case AnswerBody::none:
            return Delivery::none;
        case AnswerBody::length:
            return Delivery::length;
        case AnswerBody::chunked:
        case AnswerBody::until_close:
            break;
    }
    return client_http11 ? Delivery::chunked : Delivery::until_close;
}

void make_client_head(std::string& buffer, const ResponseHead& head, Delivery delivery,
                      const ClientSide& client) {
    buffer.append("HTTP/1.1 ")
        .append(std::to_string(head.status))
        .append(" ", 1)
        .append(head.reason)
        .append("\r\n", 2);
    for (const auto& field : head.fields) {
        if (field.kind.drop == Drop::always) continue;
        if (!head.connection_options.empty() &&
            std::ranges::any_of(head.connection_options,
                                [&](std::string_view o) { return iequals(o, field.name); }))
            continue;
        buffer.append(field.name).append(": ", 2).append(field.value).append("\r\n", 2);
    }
    if (head.status == 101) {
        buffer.append("Connection: Upgrade\r\nUpgrade: ").append(head.upgrade).append("\r\n\r\n");
        return;
    }
    const bool interim = head.is_interim();
    if (delivery == Delivery::chunked) {
        buffer.append("Transfer-Encoding: chunked\r\n");
    } else if (delivery == Delivery::length ||
               (head.content_length != UINT64_MAX && !interim && head.status != 204)) {
        // An answer to HEAD, or a 304, keeps the length that it speaks of (RFC 9110 §8.6).
        buffer.append("Content-Length: ").append(std::to_string(head.content_length)).append("\r\n", 2);
    }
    if (!interim) {
        if (client.close)
            buffer.append("Connection: close\r\n");
        else if (!client.http11)
            buffer.append("Connection: keep-alive\r\n");
    }
    buffer.append("\r\n", 2);
}

}  // namespace signet::http
