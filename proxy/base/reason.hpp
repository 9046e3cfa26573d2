// Why a request was not forwarded. One word each: the same in the answer, the log, the metric and `explain`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace signet {

enum class Reason : std::uint8_t {
    token_missing,
    multiple_tokens,
    token_malformed,
    token_too_large,
    encryption_required,
    decryption_failed,
    alg_not_allowed,
    kid_unknown,
    signature_invalid,
    expired,
    not_yet_valid,
    issuer_unknown,
    audience_mismatch,
    typ_mismatch,
    crit_unsupported,
    claim_missing,
    claim_invalid,
    lifetime_too_long,
    revoked,
    scope_insufficient,
    insufficient_user_authentication,
    claim_not_allowed,
    csrf_rejected,
    keys_unavailable,
    revocation_stale,
    overloaded,
    no_route,
    bad_request,
    upstream_unreachable,
    upstream_timeout,
};

inline constexpr std::size_t reason_count = 30;

struct ReasonInfo {
    std::string_view word;         // `code`, and the last part of the problem type
    int status;                    // HTTP status; bad_request may carry a better one
    std::string_view oauth_error;  // RFC 6750 §3.1 error, empty where none is sent
    bool challenge;                // carries WWW-Authenticate
    std::string_view title;        // RFC 9457 title
    std::string_view advice;       // what the caller can do
};

const ReasonInfo& info(Reason reason);

inline std::string_view word(Reason reason) { return info(reason).word; }

}  // namespace signet
