#include "keys/kept_keys.hpp"

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "jose/digest.hpp"

namespace signet::keys {
namespace {

constexpr std::string_view heading = "signet keys 1 ";  // and the digest of all that follows the line

// Where the keys come from, and what that is believed by: keys that came by a way which is no longer taken
// must not come back from the disk.
std::string source_of(const Settings& settings) {
    std::string out = settings.kind == SourceKind::jwks_uri        ? "jwks_uri " + settings.location
                      : settings.kind == SourceKind::discovery_url ? "discovery_url " + settings.location
                                                                   : "discovery";
    if (!settings.ca_file.empty()) out += " ca_file " + settings.ca_file;
    if (settings.allow_http) out += " allow_http";
    if (settings.allow_link_local) out += " allow_link_local";
    return out;
}

std::optional<std::string> text_member(const json::Value& object, std::string_view name) {
    const auto member = object.find(name);
    const auto text = member ? member->string() : std::nullopt;
    return text ? std::optional<std::string>(*text) : std::nullopt;
}

std::optional<WallTime> time_member(const json::Value& object, std::string_view name) {
    const auto member = object.find(name);
    const auto number = member ? member->integer() : std::nullopt;
    constexpr std::int64_t year_9999 = 253'402'300'799'000;  // beyond it sums could wrap
    if (!number || *number < 0 || *number > year_9999) return std::nullopt;
    return WallTime(milliseconds(*number));
}

std::int64_t as_number(WallTime t) { return t.time_since_epoch().count(); }

}  // namespace

bool same_source(const Settings& a, const Settings& b) {
    return is_remote(a.kind) && is_remote(b.kind) && a.issuer == b.issuer && source_of(a) == source_of(b);
}

std::string kept_file_name(const Settings& settings) {
    std::string out;
    auto readable = std::string_view(settings.issuer);
    if (const auto scheme = readable.find("://"); scheme != std::string_view::npos)
        readable.remove_prefix(scheme + 3);
    for (const char c : readable.substr(0, 80)) out += is_alnum(c) || c == '.' || c == '-' ? c : '_';
    return out + "-" + jose::sha256_hex(settings.issuer + "\n" + source_of(settings)).substr(0, 16) + ".keys";
}

std::string kept_file_text(const Settings& settings, const KeptKeys& kept) {
    std::string body;
    json::Writer w(body);
    w.object().member("issuer", settings.issuer).member("source", source_of(settings));
    w.member("fetched_at", as_number(kept.fetched_at)).member("jwks_uri", kept.jwks_uri);
    if (kept.discovered_at) w.member("discovered_at", as_number(*kept.discovered_at));
    w.member("keys", kept.text).end_object();
    body += '\n';
    return std::string(heading) + jose::sha256_hex(body) + "\n" + body;
}

result<KeptKeys> parse_kept_file(const Settings& settings, std::string_view text, WallTime now) {
    const auto line = text.find('\n');
    if (!text.starts_with(heading) || line == std::string_view::npos)
        return fault("it is not a file of kept keys");
    const auto body = text.substr(line + 1);
    if (text.substr(heading.size(), line - heading.size()) != jose::sha256_hex(body))
        return fault("its digest does not match; it was cut short or changed");
    json::Document document;
    const auto root = document.parse(body.substr(0, body.find_last_not_of('\n') + 1));
    if (!root || !root->is_object()) return fault("it is not a JSON object");
    if (text_member(*root, "issuer") != settings.issuer) return fault("it is another issuer's");
    if (text_member(*root, "source") != source_of(settings))
        return fault("its keys came from another source than the one configured");
    const auto keys = text_member(*root, "keys"), uri = text_member(*root, "jwks_uri");
    const auto fetched_at = time_member(*root, "fetched_at");
    if (!keys || !uri || !fetched_at) return fault("a member is missing");
    if (*fetched_at > now + future_allowed) return fault("it is from the future; is the clock right?");
    if (now - *fetched_at >= settings.max_stale) return fault("it is older than max_stale");
    auto discovered_at = time_member(*root, "discovered_at");
    if (discovered_at && *discovered_at > now + future_allowed) discovered_at.reset();
    return KeptKeys{*keys, *fetched_at, *uri, discovered_at};
}

}  // namespace signet::keys
