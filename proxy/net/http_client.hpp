// One plain HTTP request, waited for: for the commands that talk to a running instance, and for the demo.
#pragma once

#include <string>

#include "base/plain_http.hpp"
#include "base/result.hpp"
#include "net/settings.hpp"

namespace signet::net {

// 10 s at most.
result<PlainResponse> ask(const Endpoint& endpoint, const PlainRequest& request);

}  // namespace signet::net
