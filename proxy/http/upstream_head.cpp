#include "http/upstream_head.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/cookie.hpp"
#include "http/credential.hpp"
#include "http/csrf.hpp"

namespace signet::http {
namespace {

class HeadWriter {
  public:
    explicit HeadWriter(std::string& out) : out_(out) {}
    void line(std::string_view name, std::string_view value) {
        out_.append(name).append(": ", 2).append(value).append("\r\n", 2);
    }
    void field(const HeaderField& f) { line(f.name, f.value); }

  private:
    std::string& out_;
};

// Does the client's own field stay? Token places, forwarded fields and framing are decided by their callers.
bool is_kept(const HeaderField& field, const RequestHead& head, const Peer& peer) {
    if (field.kind.drop == Drop::always || (field.kind.drop == Drop::unless_trusted && !peer.trusted))
        return false;
    return head.connection_options.empty() || !head.is_connection_option(field.name);
}

void write_cookie(HeadWriter& out, const HeaderField& field, const Extraction& places) {
    const auto removed = [&](std::string_view name) {
        return std::ranges::find(places.cookies, name) != places.cookies.end();
    };
    bool any = false;
    for_each_cookie(field.value, [&](const CookiePair& c) { any = any || removed(c.name); });
    if (!any) return out.field(field);
    const auto rest = without_cookies(field.value, removed);
    if (!trim_ows(rest).empty()) out.line(field.name, rest);
}

}  // namespace

std::string_view kept_request_id(const RequestHead& head, bool peer_trusted) {
    if (!peer_trusted) return {};
    const auto* field = head.find(HeaderId::x_request_id);
    if (field == nullptr || field->value.empty() || field->value.size() > 128) return {};
    const auto allowed = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; };
    return std::ranges::all_of(field->value, allowed) ? field->value : std::string_view{};
}

// What a trusted peer says, if it says one thing: of two values the rules here and the upstream might each
// take another one.
std::string_view forwarded_value(const RequestHead& head, const Peer& peer, HeaderId id) {
    std::string_view value;
    int times = 0;
    for (const auto& field : head.fields)
        if (field.kind.id == id && ++times == 1) value = field.value;
    return peer.trusted && times == 1 && value.find(',') == std::string_view::npos ? value
                                                                                   : std::string_view{};
}

Scheme scheme_of(const RequestHead& head, const Peer& peer) {
    if (peer.tls) return Scheme::https;
    const auto proto = forwarded_value(head, peer, HeaderId::x_forwarded_proto);
    return iequals(proto, "https") ? Scheme::https : iequals(proto, "http") ? Scheme::http : Scheme::unknown;
}

UpstreamHead make_upstream_head(std::string& buffer, const RequestHead& head, const Target& target,
                                const policy::Allow& allow, const Peer& peer, std::string_view request_id,
                                const UpstreamForm& form, const Settings& settings) {
    buffer.clear();
    HeadWriter out(buffer);
    const auto& places = settings.extraction;
    const bool strip = !allow.is_public() && !allow.is_lifted() && !places.forward;

    buffer.append(head.method).append(" ", 1);
    if (target.path != "*") buffer.append(form.path_prefix);
    buffer.append(target.path);
    if (strip && !places.params.empty() && !target.query.empty())
        buffer.append(without_params(target.query, places.params));
    else
        buffer.append(target.query);
    buffer.append(" HTTP/1.1\r\n");
    out.line("Host", form.host.empty() ? head.host : std::string_view(form.host));

    std::string chain;  // what a trusted peer says of those before it; it may take several lines to do so
    for (const auto& field : head.fields) {
        if (!is_kept(field, head, peer)) continue;
        switch (field.kind.id) {
            case HeaderId::host:
            case HeaderId::connection:
            case HeaderId::content_length:
            case HeaderId::transfer_encoding:
            case HeaderId::upgrade:
            case HeaderId::hop_by_hop:
            case HeaderId::expect:
            case HeaderId::x_request_id:
            case HeaderId::x_forwarded_proto:
            case HeaderId::x_forwarded_host:
                continue;
            case HeaderId::cookie:
                if (strip && !places.cookies.empty()) {
                    write_cookie(out, field, places);
                    continue;
                }
                break;
            case HeaderId::x_forwarded_for:
                chain.append(chain.empty() ? "" : ", ").append(field.value);
                continue;
            default:
                break;
        }
        // One that may carry a token is passed on only if it carried none: Basic stays, Bearer goes.
        if (field.kind.token_source >= 0 && strip &&
            carries_token(field.value,
                          places.headers[static_cast<std::size_t>(field.kind.token_source)].value_prefix))
            continue;
        out.field(field);
    }

    buffer.append(allow.claim_lines());
    if (allow.is_verified() && !form.payload_header.empty()) out.line(form.payload_header, allow.payload());
    buffer.append(form.added_lines);
    buffer.append("X-Forwarded-For: ");
    if (!chain.empty()) buffer.append(chain).append(", ");
    buffer.append(peer.address).append("\r\n");
    const auto proto = forwarded_value(head, peer, HeaderId::x_forwarded_proto);
    out.line("X-Forwarded-Proto", !proto.empty() ? proto : peer.tls ? "https" : "http");
    const auto before_us = forwarded_value(head, peer, HeaderId::x_forwarded_host);
    const auto forwarded_host = before_us.empty() ? head.host : before_us;
    if (!forwarded_host.empty()) out.line("X-Forwarded-Host", forwarded_host);
    out.line("X-Request-Id", request_id);

    if (head.expects_continue) buffer.append("Expect: 100-continue\r\n");
    if (!head.upgrade.empty()) {
        buffer.append("Connection: Upgrade\r\n");
        out.line("Upgrade", head.upgrade);
    }
    if (head.body == BodyKind::chunked)
        buffer.append("Transfer-Encoding: chunked\r\n");
    else if (head.body == BodyKind::length || head.find(HeaderId::content_length) != nullptr)
        out.line("Content-Length", std::to_string(head.content_length));
    buffer.append("\r\n", 2);
    return UpstreamHead(buffer);
}

}  // namespace signet::http
