// The answers that Signet gives itself: one place maps reasons to responses (RFC 9457, RFC 6750 §3).
#pragma once

#include <string>
#include <string_view>

#include "base/reason.hpp"
#include "http/settings.hpp"

namespace signet::http {

struct Denial {
    Reason reason = Reason::bad_request;
    int status = 0;  // 0: the reason's own
    std::string_view detail;
    std::string_view scope;                // scope_insufficient
    std::string_view allow;                // 405: the methods
    int retry_after = 1;                   // seconds, with a 503
    std::string_view authentication = {};  // insufficient_user_authentication: policy::Authentication's words
    std::string_view resource_metadata = {};  // with a challenge: where to read on (RFC 9728 §5.1)
};

struct AnswerContext {
    std::string_view request_id;
    bool to_head = false;
    bool http11 = true;
    bool close = false;
};

// Appends the whole response to buffer; returns its status.
int make_deny_response(std::string& buffer, const Denial& denial, const AnswerContext& context,
                       const Answers& answers);

std::string_view status_phrase(int status);

// The Connection field that says whether the connection stays, where one is needed.
void append_connection(std::string& buffer, const AnswerContext& context);

}  // namespace signet::http
