// A cookie goes along with requests that another site caused. When is a token from a cookie to be honoured?
#pragma once

#include <cstdint>
#include <string_view>

#include "http/request_head.hpp"
#include "http/settings.hpp"

namespace signet::http {

enum class Scheme : std::uint8_t { unknown, http, https };

// nullptr: honoured. Else what is wrong.
const char* check_csrf(const RequestHead& head, Scheme scheme, const Csrf& rules);

}  // namespace signet::http
