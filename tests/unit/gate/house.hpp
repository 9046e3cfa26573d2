// A gate with two issuers, keys for them, and questions put to it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gate/gate.hpp"
#include "jose/base64url.hpp"
#include "jose/signing_key.hpp"
#include "unit/http/parsed.hpp"
#include "unit/support/printing.hpp"

namespace signet::test {

inline constexpr std::int64_t now_s = 1'700'000'000;
inline constexpr WallTime wall{milliseconds{now_s * 1000}};
inline constexpr SteadyTime steady{std::chrono::hours{1000}};

inline const jose::SigningKey& key_named(const std::string& name) {
    static std::vector<std::pair<std::string, jose::SigningKey>> made;
    for (const auto& [n, key] : made)
        if (n == name) return key;
    // "a:k1" and "b:k1" are two keys with one kid; without a colon the key has no kid.
    const auto colon = name.find(':');
    const auto kid = colon == std::string::npos ? std::string() : name.substr(colon + 1);
    made.reserve(32);
    made.emplace_back(name, jose::SigningKey::generate(jose::Algorithm::ES256, kid).value());
    return made.back().second;
}

inline std::shared_ptr<const jose::KeySet> set_of(const std::vector<std::string>& names) {
    auto out = std::make_shared<jose::KeySet>();
    for (const auto& name : names) {
        auto text = key_named(name).public_jwk_set();
        // A key without a name has no kid at all.
        if (const auto at = text.find(",\"kid\":\"\""); at != std::string::npos) text.erase(at, 9);
        auto one = jose::parse_jwk_set(text).value();
        out->keys.push_back(std::move(one.keys.at(0)));
    }
    return out;
}

inline std::shared_ptr<keys::KeySnapshot> snapshot(const std::vector<std::string>& names) {
    auto out = std::make_shared<keys::KeySnapshot>();
    if (!names.empty()) out->set = set_of(names);
    out->remote = true;
    out->last_fetch_good = true;
    out->refetch_from = steady + std::chrono::hours{1};  // inside the cool-down
    return out;
}

inline std::string claims(const std::string& more = "", const std::string& iss = "https://a",
                          std::int64_t exp = now_s + 600) {
    return R"({"iss":")" + iss + R"(","aud":"api","exp":)" + std::to_string(exp) +
           (more.empty() ? "" : "," + more) + "}";
}

inline std::string token(const std::string& payload = claims(), const std::string& key = "a:k1",
                         std::string_view typ = "at+jwt") {
    return key_named(key).sign(payload, typ).value();
}

// A token whose signature nobody made.
inline std::string unsigned_token(const std::string& header, const std::string& payload = claims()) {
    return jose::encode_base64url(header) + "." + jose::encode_base64url(payload) + "." +
           jose::encode_base64url(std::string(64, 'x'));
}

inline policy::Route route(std::string name, std::string prefix = "") {
    policy::Route r;
    r.name = std::move(name);
    r.prefix = std::move(prefix);
    return r;
}

struct Question {
    std::string path = "/";
    std::string method = "GET";
    std::string lines = {};
    gate::KeyWait wait = gate::KeyWait::none;
    std::int64_t later = 0;  // seconds after the usual moment
};

class House {
  public:
    explicit House(std::size_t cache_bytes = 1 << 20)
        : gate(index, cache_bytes), rules(std::make_shared<gate::Rules>()) {
        rules->http.names.add_token_source("Authorization", 0);
        for (const std::string name : {"a", "b"}) {
            policy::IssuerRules issuer;
            issuer.name = name;
            issuer.issuer = "https://" + name;
            issuer.audiences = {"api"};
            issuer.claim_headers.push_back({policy::ClaimPath::parse("sub").value(), "X-Auth-Subject"});
            rules->issuers.push_back(std::move(issuer));
        }
        rules->routes = policy::RouteTable({route("all")});
        keys = {snapshot({"a:k1"}), snapshot({"b:k1"})};
    }

    void install() { gate.install(rules, keys); }
    void set_routes(std::vector<policy::Route> routes) {
        rules->routes = policy::RouteTable(std::move(routes));
    }

    // Without a token where `bearer` is empty.
    gate::Decision ask(const std::string& bearer, const Question& q = {}) {
        if (!installed_) install();
        installed_ = true;
        const auto credential = bearer.empty() ? "" : "Authorization: Bearer " + bearer + "\r\n";
        parsed_ =
            std::make_unique<Parsed>(q.method + " " + q.path + " HTTP/1.1\r\nHost: App.Example:8080\r\n" +
                                         credential + q.lines + "\r\n",
                                     rules->http.names, http::HeadLimits{1 << 20, 100});
        REQUIRE_FALSE(parsed_->wrong);
        const http::Peer peer{"192.0.2.1", false, false};
        return gate.decide(parsed_->head, target_, peer, {wall + seconds{q.later}, steady + seconds{q.later}},
                           q.wait);
    }
    // "allow", "need_keys", or the reason's word.
    std::string verdict(const std::string& bearer, const Question& q = {}) {
        const auto d = ask(bearer, q);
        if (d.kind == gate::Decision::Kind::allow) {
            CHECK(d.allow.has_value());
            CHECK((d.stage == gate::Stage::done) == d.allow->is_verified());
            return "allow";
        }
        CHECK_FALSE(d.allow.has_value());
        if (d.kind == gate::Decision::Kind::need_keys) return "need_keys";
        CHECK_FALSE(d.refusal.detail.empty());
        return std::string(word(d.refusal.reason));
    }
    bool remembers(const std::string& bearer, const Question& q = {}) { return ask(bearer, q).remembered; }

    revocation::Index index{HashSeed{1, 2}};
    gate::Gate gate;
    std::shared_ptr<gate::Rules> rules;
    gate::Keys keys;

  private:
    bool installed_ = false;
    std::unique_ptr<Parsed> parsed_;
    http::Target target_;
};

}  // namespace signet::test
