// The dashboard's one page: it holds no data, and asks /v1/status for what it shows.
#pragma once

#include <string_view>

namespace signet::admin {

std::string_view dashboard_page();

// Nothing but the page's own script and style may run in it.
std::string_view dashboard_policy();

}  // namespace signet::admin
