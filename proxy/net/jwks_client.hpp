// Fetches an issuer's keys: discovery where needed, then the key set. By Beast, on the control thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "keys/settings.hpp"

namespace signet::net {

struct FetchedKeys {
    std::string text;                // of the set, not looked at yet
    std::optional<seconds> max_age;  // Cache-Control, where positive
    std::string jwks_uri;
};

using FetchDone = std::function<void(result<FetchedKeys>)>;

// Starts a fetch on the context; done is called there, once, within about 5 s for each step. Holds nothing of
// the caller's but `done`.
void fetch_keys(boost::asio::io_context& context, const keys::Settings& settings, FetchDone done);

}  // namespace signet::net
