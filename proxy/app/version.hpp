#pragma once

#include <string>

namespace signet::app {

inline constexpr const char* version = SIGNET_VERSION;
std::string version_text();  // with libraries and what was left out

}  // namespace signet::app
