#include "gate/gate.hpp"

#include <algorithm>

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "gate/targets.hpp"
#include "http/csrf.hpp"
#include "jose/base64url.hpp"
#include "policy/decide.hpp"

namespace signet::gate {
namespace {

void deny(Decision& out, Stage stage, Reason reason, std::string detail) {
    out.kind = Decision::Kind::deny;
    out.stage = stage;
    out.refusal = {reason, std::move(detail)};
}

Stage stage_of(Reason reason) {  // of what policy::admit refuses
    switch (reason) {
        case Reason::typ_mismatch:
            return Stage::type;
        case Reason::expired:
        case Reason::not_yet_valid:
        case Reason::lifetime_too_long:
            return Stage::times;
        case Reason::audience_mismatch:
            return Stage::audience;
        default:
            return Stage::claims;
    }
}

// Those that speak of tokens and rules, and of what Signet itself cannot know at the moment. A request that
// is broken, or too much, is broken in every mode.
bool may_be_lifted(Reason reason) {
    const int status = info(reason).status;
    return status == 401 || status == 403 || reason == Reason::keys_unavailable ||
           reason == Reason::revocation_stale;
}

bool is_preflight(const http::RequestHead& head) {
    return head.method == "OPTIONS" && head.find(http::HeaderId::origin) != nullptr &&
           head.find(http::HeaderId::access_control_request_method) != nullptr;
}

}  // namespace

Gate::Gate(revocation::Index& index, std::size_t cache_bytes)
    : index_(index), revocations_(index), cache_(cache_bytes, random_seed()) {}

void Gate::install(std::shared_ptr<const Rules> rules, Keys keys) {
    bool same = rules == rules_ && keys.size() == keys_.size();
    for (std::size_t i = 0; same && i < keys.size(); ++i) same = keys[i]->set == keys_[i]->set;
    if (!same) cache_.clear();
    rules_ = std::move(rules);
    keys_ = std::move(keys);
}

Decision Gate::decide(const http::RequestHead& head, http::Target& target, const http::Peer& peer,
                      const Moment& now, KeyWait wait) {
    Decision out;
    const auto text = judge(head, target, peer, now, wait, out);
    if (out.kind == Decision::Kind::deny && out.route >= 0) lift(text, peer, out);
    return out;
}

void Gate::lift(TokenText text, const http::Peer& peer, Decision& out) {
    const auto percent = rules_->routes.at(static_cast<std::uint16_t>(out.route)).enforce_percent;
    if (percent >= 100 || !may_be_lifted(out.refusal.reason)) return;
    if (percent > 0 && place_in_ramp(out.inner.empty() ? text : out.inner, peer, out.token.get()) < percent)
        return;
    out.kind = Decision::Kind::allow;
    // From the audience on the token had verified, so that its claims are true.
    if (out.token && out.stage >= Stage::audience)
        out.allow = policy::Allow(policy::Allow::Kind::verified, out.token->claim_lines(),
                                  out.token->payload_base64(), true);
    else
        out.allow = policy::Allow(policy::Allow::Kind::anonymous, {}, {}, true);
}

unsigned Gate::place_in_ramp(TokenText text, const http::Peer& peer, const VerifiedToken* token) {
    std::string_view name = peer.address;
    const auto take = [&](const json::Value& payload) {
        const auto subject = payload.find("sub");
        if (const auto known = subject ? subject->string() : std::nullopt) name = *known;
    };
    if (token != nullptr) {  // what it claims may have been encrypted
        if (const auto payload = payload_of(*token)) take(*payload);
    } else if (const auto read = reader_.read(text)) {
        take(read->payload);
    }
    // No secret seed: the whole fleet decides alike, today and after a restart.
    return static_cast<unsigned>(siphash128({}, name).low % 100);
}

TokenText Gate::judge(const http::RequestHead& head, http::Target& target, const http::Peer& peer,
                      const Moment& now, KeyWait wait, Decision& out) {
    TokenText text;
    if (const auto wrong =
            http::normalise_target(head.path_and_query, rules_->http.encoded_slashes, target)) {
        out.status = wrong->status;
        deny(out, Stage::path, Reason::bad_request, wrong->detail);
        return text;
    }
    std::string_view host = http::host_without_port(head.host);
    if (host.empty() &&
        rules_->routes
            .looks_at_hosts()) {  // HTTP/1.0: the upstream would choose a host that no rule has seen
        deny(out, Stage::path, Reason::bad_request, "no Host field, and routes are chosen by host");
        return text;
    }
    if (std::ranges::any_of(host, [](char c) { return c >= 'A' && c <= 'Z'; })) {
        lower_host_ = to_lower(host);
        host = lower_host_;
    }
    if (!rules_->resources.empty() && target.match_path.starts_with(policy::resource_metadata_prefix)) {
        out.resource = policy::find_resource(rules_->resources, target.match_path, host);
        if (out.resource != nullptr) {
            if (head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS") {
                out.kind = Decision::Kind::metadata;
                out.stage = Stage::route;
            } else {
                out.status = 405;
                deny(out, Stage::route, Reason::bad_request, "metadata is read only");
            }
            return text;
        }
    }
    const auto route_index = rules_->routes.match(head.method, host, target.match_path);
    if (!route_index) {
        deny(out, Stage::route, Reason::no_route, "no route matches this host, path and method");
        return text;
    }
    out.route = *route_index;
    const auto& route = rules_->routes.at(*route_index);
    if (route.access == policy::Access::open || (rules_->bypass_cors_preflight && is_preflight(head))) {
        out.kind = Decision::Kind::allow;
        out.stage = Stage::route;
        out.allow = policy::Allow::anonymous(true);
        return text;
    }

    const auto search = http::find_credential(head, target.query, rules_->http.extraction, decoded_param_);
    if (search.multiple) {
        deny(out, Stage::credential, Reason::multiple_tokens, "the request carries more than one token");
        return text;
    }
    if (!search.found) {
        if (route.access == policy::Access::optional && route.require.empty()) {
            out.kind = Decision::Kind::allow;
            out.stage = Stage::credential;
            out.allow = policy::Allow::anonymous(false);
        } else {
            deny(out, Stage::credential, Reason::token_missing, "the request carries no token");
        }
        return text;
    }
    text = search.found->text;
    if (search.found->place == http::CredentialPlace::cookie) {
        if (const char* wrong = http::check_csrf(head, http::scheme_of(head, peer), rules_->http.csrf)) {
            deny(out, Stage::csrf, Reason::csrf_rejected, wrong);
            return text;
        }
    }
    decide_token(text, route, now, wait, out);
    return text;
}

void Gate::decide_token(TokenText text, const policy::Route& route, const Moment& now, KeyWait wait,
                        Decision& out) {
    if (text.size() > rules_->max_token_size)
        return deny(out, Stage::size, Reason::token_too_large, "it is longer than tokens.max_size");

    out.token = cache_.find(text);
    out.remembered = static_cast<bool>(out.token);
    if (out.remembered) {
        out.issuer = out.token->issuer();
        // Only what does not change with time was remembered.
        const auto& rules = rules_->issuers[out.token->issuer()];
        if (auto wrong = policy::check_times(out.token->times(), rules.clock_skew, now.wall)) {
            cache_.erase(text);
            out.stage = Stage::times;
            out.refusal = std::move(*wrong);
            return;
        }
    } else {
        verify(text, now, wait, out);
        if (!out.token) return;
    }
    if (route.audiences.empty() && !out.token->audience_matches_)
        return deny(out, Stage::audience, Reason::audience_mismatch,
                    "none of the audiences accepted from its issuer is in it");

    const auto targets = out.token->targets();
    if (revocations_.is_revoked(targets.data(), targets.data() + targets.size(), out.token->times().issued,
                                now.wall))
        return deny(out, Stage::revocation, Reason::revoked,
                    "the token, its session, subject, client, key or issuer is revoked");
    judge_route(route, now, out);
}

void Gate::verify(TokenText text, const Moment& now, KeyWait wait, Decision& out) {
    const bool encrypted = jose::is_encrypted(text) && !rules_->decryption.empty();
    if (encrypted && !decrypt(text, out)) return;
    const auto parsed = reader_.read(encrypted ? out.inner : text);
    if (!parsed)
        return deny(out, Stage::parse, Reason::token_malformed,
                    (encrypted ? "what was encrypted is no signed token: " : "") + parsed.error().message);
    const jose::Token& token = *parsed;
    if (token.has_crit)
        return deny(out, Stage::crit, Reason::crit_unsupported,
                    "its header has crit; no extension is supported");

    const auto iss = token.payload.find("iss");
    const auto iss_text = iss ? iss->string() : std::nullopt;
    out.issuer = iss_text ? rules_->issuer_index(*iss_text) : -1;
    if (out.issuer < 0)
        return deny(out, Stage::issuer, Reason::issuer_unknown,
                    iss ? "its iss is none of the issuers configured" : "it has no iss");

    const auto& decryption = rules_->issuers[static_cast<std::size_t>(out.issuer)].decryption;
    if (!encrypted && decryption && decryption->required)
        return deny(out, Stage::encryption, Reason::encryption_required,
                    "its issuer's tokens have to be encrypted, and it is only signed");
    // Whoever has one issuer's public key must not make tokens of another's pass as encrypted.
    if (encrypted && !rules_->decryption.is_of(opened_by_, *encrypted_, rules_->issuers,
                                               static_cast<std::size_t>(out.issuer)))
        return deny(out, Stage::encryption, Reason::decryption_failed,
                    "the key that opens it is not one of its issuer's");

    const jose::VerificationKey* key = nullptr;
    judge_key(token, now, wait, out, key);
    if (key == nullptr) return;

    const auto issuer = static_cast<std::uint16_t>(out.issuer);
    auto admitted = policy::admit(token, rules_->issuers[issuer], now.wall);
    if (!admitted) {
        out.kind = Decision::Kind::deny;
        out.refusal = admitted.error();
        out.stage = stage_of(out.refusal.reason);
        return;
    }
    out.token = remember(text, token, *key, issuer, *admitted);
}

bool Gate::decrypt(TokenText text, Decision& out) {
    const auto refuse = [&](Reason reason, std::string detail) {
        deny(out, Stage::decryption, reason, std::move(detail));
        return false;
    };
    const auto token = encrypted_reader_.read(text);
    if (!token) return refuse(Reason::token_malformed, token.error().message);
    if (token->has_crit)
        return refuse(Reason::crit_unsupported, "its header has crit; no extension is supported");
    const auto by = rules_->decryption.open(*token, rules_->issuers, inner_);
    if (!by) return refuse(Reason::decryption_failed, by.error().message);
    encrypted_ = *token;
    opened_by_ = *by;
    out.inner = TokenText(inner_);
    return true;
}

result<json::Value> Gate::payload_of(const VerifiedToken& token) {
    payload_buffer_.resize(jose::decoded_size(token.payload_size_));
    const auto size = jose::decode_base64url(token.payload_base64(), payload_buffer_.data());
    return payload_again_.parse(std::string_view(payload_buffer_).substr(0, size.value_or(0)));
}

void Gate::judge_key(const jose::Token& token, const Moment& now, KeyWait wait, Decision& out,
                     const jose::VerificationKey*& verified_by) {
    const auto& rules = rules_->issuers[static_cast<std::size_t>(out.issuer)];
    if (!token.algorithm || !rules.algorithms.has(*token.algorithm))
        return deny(out, Stage::algorithm, Reason::alg_not_allowed,
                    "its alg is not one of those allowed for the issuer: " + rules.algorithms.names());

    const auto& keys = keys_of(out.issuer);
    const auto need = [&] {
        out.kind = Decision::Kind::need_keys;
        out.stage = Stage::key;
    };
    if (!keys.set) {
        out.wants_fetch = keys.remote;
        // A fetch that is on its way may be the first one; nothing else is worth waiting for.
        if (wait == KeyWait::none && keys.fetching) return need();
        return deny(out, Stage::key, Reason::keys_unavailable,
                    "the keys of issuer " + rules.name + " cannot be had");
    }
    // A key that names its issuer, as Microsoft's do, is good for that one alone among the tenants.
    std::optional<std::string_view> tenant;
    if (rules.tenants) tenant = token.payload.find("iss")->string();
    const auto candidates = keys::choose_keys(*keys.set, token.kid, *token.algorithm, tenant);
    for (std::size_t i = 0; i < candidates.count && verified_by == nullptr; ++i)
        if (candidates.keys[i]->verify(*token.algorithm, token.signing_input, token.signature))
            verified_by = candidates.keys[i];
    if (verified_by == nullptr && !candidates.kid_known) {
        out.wanted_kid = keys.wanted(*token.kid, now.steady);
        out.wants_fetch = out.wanted_kid.has_value();
        const bool may_fetch = out.wants_fetch && (keys.fetching || now.steady >= keys.refetch_from);
        if (wait == KeyWait::none && may_fetch) return need();
        const bool fetched =
            wait == KeyWait::fetched || (wait == KeyWait::none && (!keys.remote || keys.last_fetch_good));
        if (!fetched)
            return deny(out, Stage::key, Reason::keys_unavailable,
                        "the keys of issuer " + rules.name + " could not be fetched");
        if (candidates.count == 0)
            return deny(out, Stage::key, Reason::kid_unknown,
                        "the key set of issuer " + rules.name + " does not have its kid");
    }
    if (candidates.count == 0)
        return deny(out, Stage::algorithm, Reason::alg_not_allowed,
                    "its alg does not fit the key that it names");
    out.verified_now = token.algorithm;
    if (verified_by == nullptr)
        deny(out, Stage::signature, Reason::signature_invalid,
             "no key of issuer " + rules.name + " verifies it");
}

void Gate::judge_route(const policy::Route& route, const Moment& now, Decision& out) {
    VerifiedToken& token = *out.token;
    char& verdict = token.route_verdict(static_cast<std::size_t>(out.route));
    if (verdict == 0) {
        std::optional<policy::Refusal> wrong;
        if (!route.issuers.empty() || !route.audiences.empty() || !route.require.empty()) {
            // Rare: once for each token and route. The payload was strict JSON when it was verified.
            const auto payload = payload_of(token);
            if (!payload)
                return deny(out, Stage::parse, Reason::token_malformed, "its payload cannot be read");
            wrong =
                policy::decide(*payload, token.issuer(), rules_->issuers[token.issuer()], route, now.wall);
        }
        if (wrong) {
            out.kind = Decision::Kind::deny;
            out.stage = Stage::route_rules;
            out.refusal = std::move(*wrong);
            return;
        }
        if (!route.require.depends_on_time()) verdict = 1;
    }
    out.kind = Decision::Kind::allow;
    out.stage = Stage::done;
    out.allow = policy::Allow(policy::Allow::Kind::verified, token.claim_lines(), token.payload_base64());
}

TokenPtr Gate::remember(TokenText text, const jose::Token& token, const jose::VerificationKey& key,
                        std::uint16_t issuer, const policy::Admitted& admitted) {
    const auto& rules = rules_->issuers[issuer];
    VerifiedToken::Parts parts;
    parts.text = text.reveal();
    parts.payload_base64 = token.payload_base64;
    parts.issuer = issuer;
    parts.times = admitted.times;
    parts.audience_matches = admitted.audience_matches;
    parts.claim_lines = admitted.headers.lines;
    parts.claims_left_out = admitted.headers.left_out;
    // The key's own name counts; a token may leave it out, and one that names a key without kid names
    // nothing.
    if (key.kid()) parts.kid = *key.kid();
    // The token's own: that of an issuer with tenants is a pattern.
    const auto iss_claim = token.payload.find("iss");
    const auto iss = iss_claim ? iss_claim->string().value_or(std::string_view{}) : std::string_view{};
    const auto targets = targets_of(index_, token.payload, iss, parts.kid, rules.revocation_claims);
    parts.targets = targets;
    for (const auto& name : rules.revocation_claims.jti)
        if (const auto jti = name.find(token.payload); jti && jti->string() && parts.jti.empty())
            parts.jti = *jti->string();
    std::string logged;
    for (const auto& name : rules_->logged_claims) {
        const auto claim = name.find(token.payload);
        if (!claim) continue;
        logged += ',';
        json::write_string(logged, "claims." + name.text());
        logged += ':';
        claim->write(logged, false);
    }
    parts.logged_claims = logged;
    parts.routes = rules_->routes.size();
    auto kept = VerifiedToken::make(parts);
    cache_.put(kept);
    return kept;
}

}  // namespace signet::gate
