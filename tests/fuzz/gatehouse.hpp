// A gate with one issuer, and tokens that this issuer signed, whatever they say.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/fuzz.hpp"
#include "gate/gate.hpp"
#include "gate/near_miss.hpp"
#include "jose/base64url.hpp"

namespace signet::fuzz {

inline constexpr std::int64_t now_s = 1'700'000'000;
inline constexpr WallTime now{milliseconds{now_s * 1000}};
inline constexpr std::string_view secret = "everybody who reads this knows this secret, so it is none: 4711";

// HS256 over any header and any payload.
inline std::string sign(std::string_view header, std::string_view payload) {
    auto token = jose::encode_base64url(header) + "." + jose::encode_base64url(payload);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac, &size);
    return token + "." + jose::encode_base64url({reinterpret_cast<const char*>(mac), size});
}

// Nothing that steers a terminal, breaks a line or ends a header field: C0, DEL, and C1 in UTF-8.
inline bool is_printable(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_control(text[i])) return false;
        if (text[i] == '\xC2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
            return false;
    }
    return true;
}

class Gatehouse {
  public:
    // The issuer has the secret, which has no kid, and a P-256 key k1 (RFC 7515 A.3). Whatever token,
    // session, subject or client is called "gone" is revoked.
    explicit Gatehouse(policy::IssuerRules issuer)
        : rules_(std::make_shared<gate::Rules>()), gate_(index_, 1 << 20) {
        using revocation::Kind;
        for (const auto kind : {Kind::jti, Kind::sid, Kind::sub, Kind::client})
            index_.put(index_.hash(kind, "", "gone"), {}, {});
        rules_->http.names.add_token_source("Authorization", 0);
        rules_->http.limits = {std::size_t{1} << 30, 100};
        rules_->issuers.push_back(std::move(issuer));
        policy::Route all;
        all.name = "all";
        rules_->routes = policy::RouteTable({all});
        auto set = jose::parse_jwk_set(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k1",
            "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})")
                       .value();
        set.keys.push_back(jose::VerificationKey::from_secret(secret).value());
        snapshot_->set = std::make_shared<jose::KeySet>(std::move(set));
        gate_.install(rules_, {snapshot_});
    }

    gate::Decision ask(std::string_view token) {
        text_ = "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + std::string(token) + "\r\n\r\n";
        FUZZ_ASSERT(!http::parse_request_head(text_, rules_->http.names, rules_->http.limits, head_));
        const auto d = gate_.decide(head_, target_, {"192.0.2.1"}, {now, SteadyTime{}}, gate::KeyWait::none);
        if (d.kind == gate::Decision::Kind::allow) {
            FUZZ_ASSERT(d.allow && d.allow->is_verified() && d.stage == gate::Stage::done);
            FUZZ_ASSERT(d.allow->payload() == token.substr(token.find('.') + 1, d.allow->payload().size()));
            return d;
        }
        // Nothing is fetched here, so it is a refusal, in words that may be shown.
        FUZZ_ASSERT(d.kind == gate::Decision::Kind::deny && !d.allow);
        FUZZ_ASSERT(!d.refusal.detail.empty() && is_printable(d.refusal.detail));
        FUZZ_ASSERT(is_printable(gate::near_miss(token, d, *rules_, snapshot_.get(), now)));
        return d;
    }
    // nullopt: admitted. Asked again, when it may be remembered, the answer is the same.
    std::optional<Reason> verdict(std::string_view token) {
        const auto first = ask(token);
        const bool allowed = first.kind == gate::Decision::Kind::allow;
        const auto lines = allowed ? std::string(first.allow->claim_lines()) : std::string();
        const auto again = ask(token);
        FUZZ_ASSERT(again.kind == first.kind && again.refusal.reason == first.refusal.reason);
        FUZZ_ASSERT(again.refusal.detail == first.refusal.detail);
        FUZZ_ASSERT(!allowed || (again.remembered && again.allow->claim_lines() == lines));
        return allowed ? std::nullopt : std::optional(first.refusal.reason);
    }

    [[nodiscard]] const gate::Rules& rules() const { return *rules_; }
    [[nodiscard]] const policy::IssuerRules& issuer() const { return rules_->issuers.front(); }

  private:
    revocation::Index index_{HashSeed{1, 2}};
    std::shared_ptr<gate::Rules> rules_;
    std::shared_ptr<keys::KeySnapshot> snapshot_ = std::make_shared<keys::KeySnapshot>();
    gate::Gate gate_;
    std::string text_;
    http::RequestHead head_;
    http::Target target_;
};

}  // namespace signet::fuzz
