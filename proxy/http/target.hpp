// The one path that routes and the upstream both see. RFC 3986 §6.2.2, with everything refused that could be
// read twice (CVE-2020-8595, CVE-2021-29492, CVE-2026-33494, CVE-2026-42274).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/request_head.hpp"

namespace signet::http {

enum class EncodedSlashes : std::uint8_t { reject, keep };

// Views into the target as it came where nothing had to change, else into its own strings. Reused from
// request to request.
struct Target {
    std::string_view
        path;  // for the upstream: unreserved characters decoded, slashes merged, dot segments removed
    std::string_view match_path;  // the same without ;parameters
    std::string_view query;       // with its '?', as it came; empty: none

    std::string path_buffer;
    std::string match_buffer;
};

// target: origin-form, "*" (whose path is "*"), or what is left of absolute-form behind the authority.
// nullopt: good.
std::optional<BadRequest> normalise_target(std::string_view target, EncodedSlashes slashes, Target& out);

}  // namespace signet::http
