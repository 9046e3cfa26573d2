// The answer to a question for a protected resource's metadata (RFC 9728 §3.2): open to every origin, since
// clients in browsers ask before they have anything to show.
#pragma once

#include <string>
#include <string_view>

#include "http/deny_response.hpp"

namespace signet::http {

// Appends the whole response; preflight: the answer to a browser's OPTIONS. Returns its status.
int make_metadata_response(std::string& buffer, std::string_view document, bool preflight,
                           const AnswerContext& context);

}  // namespace signet::http
