#include "base/reason.hpp"

namespace signet {
namespace {

constexpr std::string_view none{};
constexpr std::string_view bad_token = "invalid_token";

// In the order of the enum.
constexpr std::array<ReasonInfo, reason_count> table{{
    {"token_missing", 401, none, true, "A token is needed",
     "Send a bearer token in the Authorization header."},
    {"multiple_tokens", 400, "invalid_request", true, "More than one token",
     "Send one token, in one place, once."},
    {"token_malformed", 401, bad_token, true, "The token cannot be read",
     "Send a JWT in compact form: three base64url parts with strict JSON in the first two."},
    {"token_too_large", 401, bad_token, true, "The token is too large",
     "Put fewer claims into the token, or raise tokens.max_size."},
    {"encryption_required", 401, bad_token, true, "The token is not encrypted",
     "Have the issuer encrypt its tokens with the public key of this service."},
    {"decryption_failed", 401, bad_token, true, "The token cannot be decrypted",
     "Have the issuer encrypt a signed token (cty: JWT, no zip) with the public key that this service has "
     "now, "
     "by an algorithm that is allowed."},
    {"alg_not_allowed", 401, bad_token, true, "The algorithm is not allowed",
     "Have the issuer sign with an algorithm that is allowed for it and fits its key."},
    {"kid_unknown", 401, bad_token, true, "The key is unknown",
     "Get a new token; the issuer no longer publishes the key that this one names, or never did."},
    {"signature_invalid", 401, bad_token, true, "The signature does not hold",
     "Get a new token from the issuer and pass it on unchanged."},
    {"expired", 401, bad_token, true, "The token has expired", "Get a new token."},
    {"not_yet_valid", 401, bad_token, true, "The token is not valid yet",
     "Compare the clocks of issuer and proxy, or wait."},
    {"issuer_unknown", 401, bad_token, true, "The issuer is unknown here",
     "Get a token from an issuer that this service trusts."},
    {"audience_mismatch", 401, bad_token, true, "The token is meant for another audience",
     "Ask the issuer for a token whose audience is this service."},
    {"typ_mismatch", 401, bad_token, true, "The token is of another type",
     "Send an access token, not an ID, refresh or logout token."},
    {"crit_unsupported", 401, bad_token, true, "The token demands an extension",
     "Have the issuer leave out the crit header."},
    {"claim_missing", 401, bad_token, true, "A claim is missing",
     "Have the issuer put the claim into the token."},
    {"claim_invalid", 401, bad_token, true, "A claim has a wrong type or value",
     "Have the issuer mend the claim."},
    {"lifetime_too_long", 401, bad_token, true, "The token lives too long",
     "Have the issuer shorten the lifetime of its tokens."},
    {"revoked", 401, bad_token, true, "The token has been revoked", "Sign in again."},
    {"scope_insufficient", 403, "insufficient_scope", true, "A scope is missing",
     "Ask the issuer for a token with the scopes named."},
    {"insufficient_user_authentication", 401, "insufficient_user_authentication", true,
     "The user has to sign in again", "Have the user sign in as the challenge's acr_values and max_age say."},
    {"claim_not_allowed", 403, none, false, "The claims do not permit this",
     "Use an account that the route's rules admit."},
    {"csrf_rejected", 403, none, false, "A cookie was sent from elsewhere",
     "Send the request from the same origin, or with the token in the Authorization header."},
    {"keys_unavailable", 503, none, false, "The issuer's keys cannot be had", "Try again shortly."},
    {"revocation_stale", 503, none, false, "The list of revoked tokens is out of date", "Try again shortly."},
    {"overloaded", 503, none, false, "Too many connections", "Try again shortly."},
    {"no_route", 404, none, false, "No route matches", "Check the path, the host and the method."},
    {"bad_request", 400, none, false, "The request cannot be understood", "Mend the request."},
    {"upstream_unreachable", 502, none, false, "The service behind the proxy cannot be reached",
     "Try again later."},
    {"upstream_timeout", 504, none, false, "The service behind the proxy did not answer in time",
     "Try again later."},
}};
static_assert(table[static_cast<std::size_t>(Reason::upstream_timeout)].status == 504);
static_assert(table[static_cast<std::size_t>(Reason::revoked)].word == "revoked");

}  // namespace

const ReasonInfo& info(Reason reason) { return table[static_cast<std::size_t>(reason)]; }

}  // namespace signet
