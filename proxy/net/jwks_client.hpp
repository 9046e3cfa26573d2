// Fetches an issuer's keys: discovery where needed, then the key set. By Beast, on the control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "keys/settings.hpp"
#include "net/http_proxy.hpp"
#include "net/system_resolver.hpp"

namespace signet::net {

// What to fetch, and what is known of it from the last good fetch.
struct KeyFetch {
    keys::Settings settings;
    // Where a discovery document said that the keys are, while that may still be believed: taken where the
    // document cannot be had now. One that can be had and is wrong is a failure all the same.
    std::string known_jwks_uri;
    // Of the set at hand: sent as If-None-Match to the very URL that answered with it, and nowhere else.
    std::string etag;
    std::string etag_url;
};

struct FetchedKeys {
    bool not_modified = false;                      // the set at hand is the newest; text is empty
    std::string text;                               // of the set, not looked at yet
    std::string etag;                               // RFC 9110 §8.8.3; empty: none
    std::string etag_url;                           // which answered, after redirects
    std::string cache_control, expires, date, age;  // as they came; keys/freshness.hpp reads them
    std::string jwks_uri;
    std::string discovery_error;  // the document could not be had, known_jwks_uri was taken
};

using FetchDone = std::function<void(result<FetchedKeys>)>;

// Starts a fetch on the context; done is called there, once, within about 5 s for each document, name
// look-ups included. Holds copies of what it is given, and nothing of the caller's but `done`.
// The resolver is kept until it ends.
void fetch_keys(boost::asio::io_context& context, KeyFetch fetch, const ProxyRules& proxies,
                std::shared_ptr<SystemResolver> resolver, FetchDone done);

}  // namespace signet::net
