#include "admin/revocation_requests.hpp"

#include <cmath>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace signet::admin {
namespace {

using revocation::Entry;
using revocation::Kind;

constexpr std::size_t max_value = 64 * 1024;
constexpr std::size_t max_reason = 1024;

result<std::optional<WallTime>> read_time(const json::Value& root, const char* name) {
    const auto member = root.find(name);
    if (!member || member->is(json::Type::null)) return std::optional<WallTime>{};
    std::optional<std::int64_t> ms;
    if (const auto text = member->string())
        ms = parse_time(*text);
    else if (const auto number = member->number(); number && *number >= 0 && *number <= 253402300799.0)
        ms = static_cast<std::int64_t>(std::floor(*number * 1000.0));
    if (!ms) return fault(std::string(name) + " is a time in Unix seconds or RFC 3339");
    return std::optional(WallTime{milliseconds{*ms}});
}

void write_entry(json::Writer& w, const Entry& e, bool with_reach) {
    w.object().member("id", e.target.id());
    if (e.target.kind != Kind::issuer) w.member(word(e.target.kind), e.target.value);
    if (!e.target.issuer.empty()) w.member("issuer", e.target.issuer);
    const auto time = [&](const char* name, const std::optional<WallTime>& t) {
        if (t) w.member(name, rfc3339(t->time_since_epoch().count()));
    };
    time("issued_before", e.issued_before);
    time("expires_at", e.expires_at);
    if (!e.reason.empty()) w.member("reason", e.reason);
    time("created_at", e.created);
    if (with_reach) w.member("reach", "instance");
    w.end_object();
}

}  // namespace

result<Entry> parse_revocation(std::string_view json_text, WallTime now) {
    json::Document document;
    const auto root = document.parse(json_text);
    if (!root) return fault("the body is not strict JSON: " + root.error().message);
    if (!root->is_object()) return fault("the body is not a JSON object");
    Entry out;
    out.created = now;
    int targets = 0;
    std::string wrong;
    root->each_member([&](std::string_view name, const json::Value& value) {
        if (name == "issued_before" || name == "expires_at") return true;
        const auto text = value.string();
        if (!text)
            wrong = std::string(name) + " is a string";
        else if (text->size() > max_value)
            wrong = std::string(name) + " is too long";
        if (!wrong.empty()) return false;
        if (name == "issuer") {
            out.target.issuer = *text;
            if (text->empty()) wrong = "issuer is empty";
        } else if (name == "reason") {
            out.reason = *text;
            if (text->size() > max_reason) wrong = "reason is longer than 1 KiB";
        } else if (const auto kind = revocation::kind_from(name)) {
            ++targets;
            out.target.kind = *kind;
            out.target.value = *text;
            if (text->empty()) wrong = std::string(name) + " is empty";
        } else {
            wrong = "unknown member " + std::string(name) +
                    "; known are jti, sid, sub, client, kid, issuer, issued_before, expires_at, reason";
        }
        return wrong.empty();
    });
    if (!wrong.empty()) return fault(wrong);
    if (targets > 1) return fault("more than one of jti, sid, sub, client, kid; revoke them one by one");
    if (targets == 0) {
        if (out.target.issuer.empty())
            return fault("what is to be revoked? Name one of jti, sid, sub, client, kid, or an issuer");
        out.target.kind = Kind::issuer;
    }
    const auto issued_before = read_time(*root, "issued_before");
    if (!issued_before) return issued_before.error();
    const auto expires_at = read_time(*root, "expires_at");
    if (!expires_at) return expires_at.error();
    out.issued_before = *issued_before;
    out.expires_at = *expires_at;
    if (out.expires_at && *out.expires_at <= now)
        return fault("expires_at lies in the past: nothing would be revoked");
    return out;
}

std::string entry_json(const Entry& entry, bool with_reach) {
    std::string out;
    json::Writer w(out);
    write_entry(w, entry, with_reach);
    return out;
}

std::string entries_json(const std::vector<Entry>& entries, std::string_view next_cursor) {
    std::string out;
    json::Writer w(out);
    w.object().key("revocations").array();
    for (const auto& e : entries) write_entry(w, e, false);
    w.end_array().key("next_cursor");
    if (next_cursor.empty())
        w.null();
    else
        w.value(next_cursor);
    w.end_object();
    return out;
}

}  // namespace signet::admin
