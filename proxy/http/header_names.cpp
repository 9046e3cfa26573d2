#include "http/header_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace signet::http {
namespace {

std::string flattened(std::string_view name) {
    std::string out(name);
    for (char& c : out) c = flatten(c);
    return out;
}

std::uint32_t hash_of(std::string_view flat) {
    std::uint32_t h = name_hash_start;
    for (const char c : flat) h = hash_step(h, c);
    return h;
}

constexpr std::array<std::pair<const char*, HeaderId>, 15> meanings{{
    {"host", HeaderId::host},
    {"connection", HeaderId::connection},
    {"content-length", HeaderId::content_length},
    {"transfer-encoding", HeaderId::transfer_encoding},
    {"authorization", HeaderId::authorization},
    {"cookie", HeaderId::cookie},
    {"expect", HeaderId::expect},
    {"upgrade", HeaderId::upgrade},
    {"origin", HeaderId::origin},
    {"sec-fetch-site", HeaderId::sec_fetch_site},
    {"access-control-request-method", HeaderId::access_control_request_method},
    {"x-forwarded-for", HeaderId::x_forwarded_for},
    {"x-forwarded-proto", HeaderId::x_forwarded_proto},
    {"x-forwarded-host", HeaderId::x_forwarded_host},
    {"x-request-id", HeaderId::x_request_id},
}};

constexpr std::array<const char*, 7> hop_by_hop_names{
    "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
    "te",         "trailer",          "http2-settings"};

}  // namespace

bool flat_equal(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (flatten(a[i]) != flatten(b[i])) return false;
    return true;
}

HeaderNames::HeaderNames() {
    for (const auto& [name, id] : meanings) entry(name).kind.id = id;
    for (const auto* name : hop_by_hop_names) {
        auto& kind = entry(name).kind;
        kind.id = HeaderId::hop_by_hop;
        kind.drop = Drop::always;
    }
    remove("Proxy", Drop::always);  // becomes HTTP_PROXY in CGI (CVE-2016-5385)
    for (const auto* name : {"Forwarded", "X-Real-IP", "X-Original-*", "X-Rewrite-URL",
                             "X-HTTP-Method-Override", "X-Forwarded-*"})
        remove(name, Drop::unless_trusted);
}

HeaderNames::Entry& HeaderNames::entry(std::string_view name) {
    auto flat = flattened(name);
    for (auto& e : entries_)
        if (e.flattened == flat) return e;
    const auto hash = hash_of(flat);
    entries_.push_back({std::move(flat), hash, {}});
    index();
    return entries_.back();
}

void HeaderNames::index() {
    std::size_t size = 64;
    while (size < entries_.size() * 4) size *= 2;
    slots_.assign(size, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        std::size_t at = entries_[i].hash & (size - 1);
        while (slots_[at] != 0) at = (at + 1) & (size - 1);
        slots_[at] = static_cast<std::uint16_t>(i + 1);
    }
}

void HeaderNames::remove(std::string_view name, Drop drop) {
    if (name.ends_with('*')) {
        prefixes_.push_back({flattened(name.substr(0, name.size() - 1)), drop});
        // A prefix also covers the names that already have an entry: those are found first.
        for (auto& e : entries_)
            if (e.flattened.starts_with(prefixes_.back().flattened))
                e.kind.drop = std::max(e.kind.drop, drop);
        return;
    }
    auto& kind = entry(name).kind;
    kind.drop = std::max(kind.drop, drop);
    for (const auto& p : prefixes_)
        if (flattened(name).starts_with(p.flattened)) kind.drop = std::max(kind.drop, p.drop);
}

void HeaderNames::add_token_source(std::string_view name, std::int8_t source) {
    auto& kind = entry(name).kind;
    kind.token_source = source;
    for (const auto& p : prefixes_)
        if (flattened(name).starts_with(p.flattened)) kind.drop = std::max(kind.drop, p.drop);
}

HeaderKind HeaderNames::classify(std::string_view name, std::uint32_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
        const auto& e = entries_[slots_[at] - 1u];
        if (e.hash != hash || !flat_equal(e.flattened, name)) continue;
        if (iequals(e.flattened, name)) return e.kind;
        // An alias. Dropped as its model is; one that HTTP or we ourselves give a meaning has no aliases, not
        // from a trusted peer either: it would stand beside what we write.
        const bool has_meaning = e.kind.id != HeaderId::other || e.kind.drop == Drop::never;
        return {HeaderId::other, has_meaning ? Drop::always : e.kind.drop, -1};
    }
    for (const auto& p : prefixes_)
        if (name.size() >= p.flattened.size() && flat_equal(p.flattened, name.substr(0, p.flattened.size())))
            return {HeaderId::other, p.drop, -1};
    return {};
}

}  // namespace signet::http
