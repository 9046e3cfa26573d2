// Where the token stands in a request (RFC 6750 §2 and cookies).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/token_text.hpp"
#include "http/request_head.hpp"
#include "http/settings.hpp"

namespace signet::http {

enum class CredentialPlace : std::uint8_t { header, cookie, param };

struct Credential {
    TokenText text;  // may be empty: then it is malformed
    CredentialPlace place =
        CredentialPlace::header;  // the strongest: a header beats a parameter beats a cookie
};

struct CredentialSearch {
    std::optional<Credential> found;
    bool multiple = false;  // two Authorization fields, one place twice, or two different tokens
};

// decoded: scratch for a query parameter that is percent-encoded; the credential may point into it.
CredentialSearch find_credential(const RequestHead& head, std::string_view query, const Extraction& places,
                                 std::string& decoded);

// Does the field hold a token as this place writes it (an empty one too)? Basic beside Bearer does not.
bool carries_token(std::string_view value, std::string_view prefix);

// The query (with its '?') without the parameters named; empty when nothing is left.
std::string without_params(std::string_view query, const std::vector<std::string>& names);

}  // namespace signet::http
