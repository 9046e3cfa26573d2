// Why a token is admitted or refused, check by check. Made of the same decision that requests get, so that it
// cannot differ.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gate/gate.hpp"

namespace signet::gate {

struct ExplainedCheck {
    enum class Outcome : std::uint8_t { passed, failed, not_reached };
    std::string name;
    Outcome outcome;
    std::string detail;
};

struct Explanation {
    enum class Verdict : std::uint8_t { admitted, refused, undecided };
    Verdict verdict = Verdict::refused;
    std::optional<Reason> reason;  // refused, undecided
    int status = 0;                // the answer's
    std::string why;
    std::string advice;
    std::string hint;     // what the token is, most likely (gate/near_miss.hpp); empty: nothing comes to mind
    bool lifted = false;  // refused, and let through all the same: the route's report_only
    std::string scope;    // scope_insufficient
    std::string route;
    std::string issuer;
    std::vector<ExplainedCheck> checks;
    std::string encryption_json;  // the outer header of an encrypted token that was opened
    std::string header_json;      // of the token, where it could be read; not to be believed unless admitted
    std::string claims_json;
    std::vector<std::string> upstream_headers;  // "Name: value"
    std::string not_looked_at;                  // what this explanation could not see

    [[nodiscard]] std::string to_json() const;
    [[nodiscard]] std::string to_text() const;
};

struct ExplainedRequest {
    std::string token;
    std::string method = "GET";
    std::string host = "localhost";
    std::string path = "/";
};

// "Bearer x" lines and raw tokens.
std::string token_from_text(std::string_view text);

using UpstreamForms = std::vector<const http::UpstreamForm*>;  // by upstream index

// not_looked_at: says what could not be asked (revocations of a running instance); empty: nothing.
Explanation explain(Gate& gate, const UpstreamForms& forms, const ExplainedRequest& request,
                    const Moment& now, std::string not_looked_at);

}  // namespace signet::gate
