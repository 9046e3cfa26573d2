#include "admin/status.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace signet::admin {
namespace {

std::string time_text(WallTime t) { return rfc3339(t.time_since_epoch().count()); }

void write_issuer(json::Writer& w, const IssuerStatus& issuer) {
    w.object().member("name", issuer.name).member("issuer", issuer.issuer).key("keys").array();
    for (const auto& key : issuer.keys) {
        w.object()
            .member("kid", key.kid)
            .member("kty", key.kty)
            .member("alg", key.alg)
            .member("use", "sig")
            .end_object();
    }
    w.end_array().key("skipped").array();
    for (const auto& skipped : issuer.skipped)
        w.object().member("kid", skipped.kid).member("why", skipped.why).end_object();
    w.end_array();
    if (!issuer.jwks_uri.empty()) w.member("jwks_uri", issuer.jwks_uri);
    if (issuer.age_seconds) w.member("age_seconds", *issuer.age_seconds);
    w.key("last_success");
    if (issuer.last_success)
        w.value(time_text(*issuer.last_success));
    else
        w.null();
    w.key("last_error");
    if (issuer.last_error.empty())
        w.null();
    else
        w.value(issuer.last_error);
    w.key("next_refresh");
    if (issuer.next_refresh)
        w.value(time_text(*issuer.next_refresh));
    else
        w.null();
    w.member("stale", issuer.stale).end_object();
}

}  // namespace

std::string status_json(const Facts& f) {
    std::string out;
    json::Writer w(out);
    w.object()
        .member("version", f.version)
        .member("uptime_seconds", f.uptime_seconds)
        .member("config_sha256", f.config_sha256);
    w.member("ready", f.ready).key("issuers").array();
    for (const auto& issuer : f.issuers) write_issuer(w, issuer);
    w.end_array();
    w.key("revocation").object().member("store", f.revocation_store).member("entries", f.revocation_entries);
    w.member("lag_seconds", 0).member("connected", true).end_object();
    const auto& cache = f.totals.workers;
    w.key("token_cache").object().member("entries", cache.cache_entries).member("bytes", cache.cache_bytes);
    w.member("hits", cache.cache_hits).member("misses", cache.cache_misses).end_object();
    w.key("upstreams").array();
    for (const auto& upstream : f.upstreams) {
        w.object().member("name", upstream.name).key("urls").array();
        for (const auto& e : upstream.endpoints) w.value(e);
        w.end_array().end_object();
    }
    w.end_array().end_object();
    return out;
}

}  // namespace signet::admin
