// Who may use the admin API: settings, immutable.
#pragma once

#include <string>

namespace signet::admin {

struct Settings {
    bool api = true;         // /v1 exists: a token is set, or the address is loopback
    std::string token_file;  // read at each request, so that it can be replaced
    std::string host_name;   // accepted in Host besides IP addresses and localhost; empty: none
};

}  // namespace signet::admin
