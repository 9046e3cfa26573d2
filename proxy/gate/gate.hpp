// The decision on one request, as a function of plain values: no I/O, no clock, no waiting. Where it lacks a
// key it says so, and the caller asks again when there is news.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "gate/rules.hpp"
#include "gate/token_cache.hpp"
#include "http/credential.hpp"
#include "http/upstream_head.hpp"
#include "jose/encrypted_token.hpp"
#include "jose/token.hpp"
#include "keys/key_snapshot.hpp"
#include "policy/allow.hpp"
#include "policy/refusal.hpp"
#include "revocation/index.hpp"

namespace signet::gate {

// The checks, in their order (config/README.md, "How strictly a token is read").
enum class Stage : std::uint8_t {
    path,
    route,
    credential,
    csrf,
    size,
    decryption,
    parse,
    crit,
    issuer,
    encryption,
    algorithm,
    key,
    signature,
    type,
    claims,
    times,
    audience,
    revocation,
    route_rules,
    done
};

// How the wait for a key ended, when decide is asked again.
enum class KeyWait : std::uint8_t { none, fetched, failed };

struct Moment {
    WallTime wall;
    SteadyTime steady;
};

struct Decision {
    // metadata: asked for what a protected resource tells of itself; no route, no token.
    enum class Kind : std::uint8_t { allow, deny, need_keys, metadata };

    Kind kind = Kind::deny;
    std::optional<policy::Allow> allow;
    policy::Refusal refusal;    // of a denial, and of an allowance that lifts one
    int status = 0;             // where HTTP has a better number than the reason's
    Stage stage = Stage::path;  // of the refusal; of an allowance: the last check that was made
    int route = -1;
    int issuer = -1;
    const policy::Resource* resource = nullptr;  // metadata
    TokenPtr token;                              // once verified
    TokenText inner;  // what an encrypted token held, once it was opened; until decide is asked again
    bool remembered = false;
    std::optional<jose::Algorithm> verified_now;  // a signature was checked for this request
    bool wants_fetch = false;                     // of the issuer's keys; it might have changed the outcome
    std::optional<Hash128> wanted_kid;            // for this kid, hashed (keys::KeySnapshot::wanted)
};

using Keys = std::vector<std::shared_ptr<const keys::KeySnapshot>>;  // by issuer index; none null

class Gate {
  public:
    // cache_bytes: this worker's share. index outlives the gate.
    Gate(revocation::Index& index, std::size_t cache_bytes);

    // A new generation. Remembered tokens go if a key set or the rules changed.
    void install(std::shared_ptr<const Rules> rules, Keys keys);

    // Views in the result are good until the next call. target: filled here from the head. A refusal that the
    // route's report_only lifts comes as an allowance: `allow` says so, `refusal` says what it would have
    // been.
    Decision decide(const http::RequestHead& head, http::Target& target, const http::Peer& peer,
                    const Moment& now, KeyWait wait);

    [[nodiscard]] const Rules& rules() const { return *rules_; }
    [[nodiscard]] const keys::KeySnapshot& keys_of(int issuer) const {
        return *keys_[static_cast<std::size_t>(issuer)];
    }
    [[nodiscard]] const TokenCache& cache() const { return cache_; }

  private:
    // The decision as if all were enforced. -> the token's text, where there is one.
    TokenText judge(const http::RequestHead& head, http::Target& target, const http::Peer& peer,
                    const Moment& now, KeyWait wait, Decision& out);
    void lift(TokenText text, const http::Peer& peer, Decision& out);
    // The subject's place in the ramp, 0..99: the same at every instance. Of a token that did not verify it
    // is what it claims; without a subject it is the client's address.
    unsigned place_in_ramp(TokenText text, const http::Peer& peer, const VerifiedToken* token);
    void decide_token(TokenText text, const policy::Route& route, const Moment& now, KeyWait wait,
                      Decision& out);
    void verify(TokenText text, const Moment& now, KeyWait wait, Decision& out);
    // Of an encrypted token: what is in it goes to out.inner; false: refused.
    bool decrypt(TokenText text, Decision& out);
    void judge_key(const jose::Token& token, const Moment& now, KeyWait wait, Decision& out,
                   const jose::VerificationKey*& verified_by);
    // Was strict JSON when it was verified. Good until the next call.
    result<json::Value> payload_of(const VerifiedToken& token);
    void judge_route(const policy::Route& route, const Moment& now, Decision& out);
    TokenPtr remember(TokenText text, const jose::Token& token, const jose::VerificationKey& key,
                      std::uint16_t issuer, const policy::Admitted& admitted);

    revocation::Index& index_;
    revocation::Index::Reader revocations_;
    TokenCache cache_;
    std::shared_ptr<const Rules> rules_;
    Keys keys_;
    jose::TokenReader reader_;
    jose::EncryptedTokenReader encrypted_reader_;
    std::string inner_;
    std::optional<jose::EncryptedToken> encrypted_;  // the one at hand, a view into its reader
    std::size_t opened_by_ = 0;                      // which of the rules' decryption keys
    json::Document payload_again_;
    std::string payload_buffer_;
    std::string decoded_param_;
    std::string lower_host_;
};

}  // namespace signet::gate
