#include "http/request_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.hpp"

namespace signet::http {
namespace {

// RFC 9110 §5.6.2 tchar, as the flattened character, 0 for all others.
constexpr auto token_characters = [] {
    std::array<char, 256> t{};
    for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
        t[static_cast<unsigned char>(c)] = '-';
    for (int c = 0; c < 256; ++c)
        if (is_alnum(static_cast<char>(c))) t[static_cast<std::size_t>(c)] = flatten(static_cast<char>(c));
    return t;
}();

bool has_control(std::string_view value) {
    // No early exit: so the loop becomes vector code.
    unsigned bad = 0;
    for (const char c : value) {
        const auto b = static_cast<unsigned char>(c);
        bad |= static_cast<unsigned>((b < 0x20) & (b != '\t')) | static_cast<unsigned>(b == 0x7F);
    }
    return bad != 0;
}

BadRequest bad(const char* detail, int status = 400) { return {status, detail}; }

std::optional<BadRequest> parse_request_line(std::string_view line, RequestHead& out) {
    const auto first = line.find(' ');
    if (first == std::string_view::npos) return bad("the request line has no target");
    const auto second = line.find(' ', first + 1);
    if (second == std::string_view::npos) return bad("the request line has no version");
    out.method = line.substr(0, first);
    out.target = line.substr(first + 1, second - first - 1);
    const auto version = line.substr(second + 1);
    if (!is_token(out.method)) return bad("the method is not a token");
    if (version == "HTTP/1.1")
        out.http11 = true;
    else if (version == "HTTP/1.0")
        out.http11 = false;
    else
        return bad("the version is neither HTTP/1.1 nor HTTP/1.0, or the request line has surplus spaces");
    if (out.method == "CONNECT") return bad("CONNECT is not served here", 405);
    if (out.target.empty()) return bad("the target is empty");
    for (const char c : out.target) {
        const auto b = static_cast<unsigned char>(c);
        if (b <= 0x20 || b == 0x7F) return bad("a control character in the target");
    }
    return std::nullopt;
}

// RFC 9112 §3.2: origin-form, absolute-form of this same host, or * for OPTIONS.
std::optional<BadRequest> resolve_target(RequestHead& out) {
    if (out.target.front() == '/') {
        out.path_and_query = out.target;
        return std::nullopt;
    }
    if (out.target == "*") {
        if (out.method != "OPTIONS") return bad("the target * is for OPTIONS only");
        out.path_and_query = out.target;
        return std::nullopt;
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (out.target.size() <= scheme.size() || !iequals(out.target.substr(0, scheme.size()), scheme))
            continue;
        const auto rest = out.target.substr(scheme.size());
        const auto end = std::min(rest.find_first_of("/?#"), rest.size());
        if (out.host.empty() || !iequals(rest.substr(0, end), out.host))
            return bad("the target names another host than the Host field");
        out.path_and_query = rest.substr(end);  // may be empty or begin with '?': then the path is "/"

        return std::nullopt;
    }
    return bad("the target is not a path");
}

struct Seen {
    bool host = false;
    bool content_length = false;
    bool transfer_encoding = false;
    bool close = false;
    bool keep_alive = false;
    bool upgrade_option = false;
    std::string_view upgrade;
};

std::optional<BadRequest> take_connection(std::string_view value, Seen& seen, RequestHead& out) {
    std::optional<BadRequest> wrong;
    for_each_element(value, [&](std::string_view option) {
        if (wrong || option.empty()) return;
        if (iequals(option, "close"))
            seen.close = true;
        else if (iequals(option, "keep-alive"))
            seen.keep_alive = true;
        else if (iequals(option, "upgrade"))
            seen.upgrade_option = true;
        else if (iequals(option, "host") || iequals(option, "content-length") ||
                 iequals(option, "transfer-encoding"))
            wrong = bad("Connection names a field that frames or addresses the request");
        else if (!is_token(option))
            wrong = bad("an option in Connection is not a token");
        else
            out.connection_options.push_back(option);
    });
    if (!wrong && out.connection_options.size() > max_connection_options)
        wrong = bad("too many options in Connection");
    return wrong;
}

std::optional<BadRequest> take_field(const HeaderField& field, Seen& seen, RequestHead& out) {
    switch (field.kind.id) {
        case HeaderId::host:
            if (seen.host) return bad("more than one Host field");
            seen.host = true;
            if (!is_valid_host(field.value)) return bad("the Host field is not host or host:port");
            out.host = field.value;
            break;
        case HeaderId::content_length: {
            if (seen.content_length) return bad("more than one Content-Length field");
            seen.content_length = true;
            const auto length = parse_decimal(field.value);
            if (!length || *length > (std::uint64_t{1} << 62))
                return bad("Content-Length is not a plain number");
            out.content_length = *length;
            break;
        }
        case HeaderId::transfer_encoding:
            if (seen.transfer_encoding) return bad("more than one Transfer-Encoding field");
            seen.transfer_encoding = true;
            if (!iequals(field.value, "chunked")) return bad("a transfer coding other than chunked", 501);
            break;
        case HeaderId::connection:
            return take_connection(field.value, seen, out);
        case HeaderId::expect:
            if (iequals(field.value, "100-continue")) out.expects_continue = true;
            break;
        case HeaderId::upgrade:
            if (!seen.upgrade.empty()) return bad("more than one Upgrade field");
            seen.upgrade = field.value;
            break;
        default:
            break;
    }
    return std::nullopt;
}

std::optional<BadRequest> settle(const Seen& seen, RequestHead& out) {
    if (!seen.host && out.http11) return bad("no Host field");
    if (seen.transfer_encoding && seen.content_length)
        return bad("both Content-Length and Transfer-Encoding");
    if (seen.transfer_encoding && !out.http11) return bad("Transfer-Encoding in HTTP/1.0");
    out.body = seen.transfer_encoding                           ? BodyKind::chunked
               : seen.content_length && out.content_length != 0 ? BodyKind::length
                                                                : BodyKind::none;
    out.keep_alive = !seen.close && (out.http11 || seen.keep_alive);
    if (!out.http11) out.expects_continue = false;  // RFC 9110 §10.1.1
    // h2c would open a second protocol behind our back; a body with an upgrade has no single reading.
    if (seen.upgrade_option && out.http11 && out.body == BodyKind::none && is_token(seen.upgrade) &&
        !iequals(seen.upgrade, "h2c"))
        out.upgrade = seen.upgrade;
    return resolve_target(out);
}

}  // namespace

bool is_token(std::string_view s) {
    return !s.empty() && std::ranges::all_of(
                             s, [](char c) { return token_characters[static_cast<unsigned char>(c)] != 0; });
}

const HeaderField* RequestHead::find(HeaderId id) const {
    for (const auto& f : fields)
        if (f.kind.id == id) return &f;
    return nullptr;
}

bool RequestHead::is_connection_option(std::string_view name) const {
    return std::ranges::any_of(connection_options, [&](std::string_view o) { return iequals(o, name); });
}

std::size_t leading_empty_line(std::string_view bytes) { return bytes.starts_with("\r\n") ? 2 : 0; }

HeadEnd find_head_end(std::string_view bytes, std::size_t& scanned) {
    while (scanned < bytes.size()) {
        const void* found = std::memchr(bytes.data() + scanned, '\n', bytes.size() - scanned);
        if (found == nullptr) {
            scanned = bytes.size();
            break;
        }
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (at == 0 || bytes[at - 1] != '\r')
            return {HeadEnd::State::broken, 0, "a line that ends in LF without CR"};
        scanned = at + 1;
        if (at >= 3 && bytes[at - 2] == '\n') return {HeadEnd::State::complete, at + 1, ""};
    }
    return {};
}

const char* parse_field_line(std::string_view line, HeaderField& field, std::uint32_t& name_hash) {
    std::uint32_t hash = name_hash_start;
    std::size_t i = 0;
    for (; i < line.size(); ++i) {
        const char flat = token_characters[static_cast<unsigned char>(line[i])];
        if (flat == 0) break;
        hash = hash_step(hash, flat);
    }
    if (i == 0)
        return line.empty() || (line[0] != ' ' && line[0] != '\t') ? "a field without a name"
                                                                   : "a folded field line";
    if (i == line.size() || line[i] != ':') return "a field name with a foreign character, or no colon";
    field.name = line.substr(0, i);
    field.value = trim_ows(line.substr(i + 1));
    name_hash = hash;
    return has_control(field.value) ? "a control character in a field value" : nullptr;
}

std::optional<BadRequest> parse_request_head(std::string_view head, const HeaderNames& names,
                                             const HeadLimits& limits, RequestHead& out) {
    // All of it: a head that is refused half-way must not speak with views of an earlier one.
    out.method = out.target = out.host = out.upgrade = out.path_and_query = {};
    out.http11 = true;
    out.keep_alive = false;
    out.body = BodyKind::none;
    out.content_length = 0;
    out.expects_continue = false;
    out.fields.clear();
    out.connection_options.clear();

    const auto first_line = head.find("\r\n");
    if (first_line == std::string_view::npos) return bad("the request line has no end");
    if (auto wrong = parse_request_line(head.substr(0, first_line), out)) return wrong;
    Seen seen;
    std::string_view rest = head.substr(first_line + 2);
    while (true) {
        const auto end = rest.find('\r');
        if (end == std::string_view::npos || end + 1 >= rest.size() || rest[end + 1] != '\n')
            return bad("a CR without LF in a field line");
        if (end == 0) break;
        if (out.fields.size() == limits.max_fields) return bad("too many header fields", 431);
        HeaderField field;
        std::uint32_t hash = 0;
        if (const char* wrong = parse_field_line(rest.substr(0, end), field, hash)) return bad(wrong);
        field.kind = names.classify(field.name, hash);
        if (field.kind.id != HeaderId::other)
            if (auto wrong = take_field(field, seen, out)) return wrong;
        out.fields.push_back(field);
        rest.remove_prefix(end + 2);
    }
    return settle(seen, out);
}

bool is_valid_host(std::string_view host) {
    if (host.empty()) return false;
    std::string_view name = host;
    if (host.front() == '[') {
        const auto end = host.find(']');
        if (end == std::string_view::npos || end < 3) return false;
        for (const char c : host.substr(1, end - 1))
            if (hex_value(c) < 0 && c != ':' && c != '.') return false;
        name = host.substr(end + 1);
        if (name.empty()) return true;
        if (name.front() != ':') return false;
    } else {
        const auto colon = host.find(':');
        const auto label = host.substr(0, colon);
        // A final dot names the same host to many servers, and another one to a table of routes.
        if (label.empty() || label.ends_with('.') || label.find("..") != std::string_view::npos) return false;
        for (const char c : label)
            if (!is_alnum(c) && c != '-' && c != '.' && c != '_' && c != '~') return false;
        if (colon == std::string_view::npos) return true;
        name = host.substr(colon);
    }
    const auto port = parse_decimal(name.substr(1));
    return port && *port <= 65535;
}

std::string_view host_without_port(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

std::string_view port_of(std::string_view host) {
    const auto name = host_without_port(host);
    return name.size() < host.size() ? host.substr(name.size() + 1) : std::string_view{};
}

}  // namespace signet::http
