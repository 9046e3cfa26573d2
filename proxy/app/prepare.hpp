// Reads the files that a configuration names, and says where in the configuration a bad one was named.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "jose/key_set.hpp"
#include "net/http_proxy.hpp"
#include "net/tls.hpp"

namespace signet::app {

struct TlsContexts {
    net::TlsContext listener;
    std::vector<net::TlsContext> upstreams;  // by upstream; null where it is http://
    std::vector<std::string> files;          // certificates, keys and CAs, to be watched
};

struct DecryptionKeys {
    gate::Decryption keys;
    std::vector<std::string> files;  // to be watched
};

struct Prepared {
    TlsContexts tls;
    // By issuer; null where keys are fetched, and where an inline set is empty.
    std::vector<std::shared_ptr<const jose::KeySet>> key_sets;
    DecryptionKeys decryption;
    net::ProxyRules key_proxies;  // by the environment
};

// Adds what is wrong to problems; the result is whole only if nothing was.
TlsContexts prepare_tls(const config::Configuration& configuration, config::Problems& problems);
DecryptionKeys prepare_decryption(const config::Configuration& configuration, config::Problems& problems);
Prepared prepare(const config::Configuration& configuration, config::Problems& problems);

// The keys of an inline or file source.
result<jose::KeySet> read_keys(const keys::Settings& settings);

}  // namespace signet::app
