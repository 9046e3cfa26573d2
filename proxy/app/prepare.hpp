// Reads the files that a configuration names, and says where in the configuration a bad one was named.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "config/configuration.hpp"
#include "jose/key_set.hpp"
#include "net/tls.hpp"

namespace signet::app {

struct Prepared {
    net::TlsContext listener_tls;
    std::vector<net::TlsContext> upstream_tls;
    std::vector<std::shared_ptr<const jose::KeySet>> key_sets;  // by issuer; null where they are fetched
    std::vector<std::string> watched_files;                     // certificates and CA files
};

std::variant<Prepared, config::Problems> prepare(const config::Configuration& configuration);

// The keys of an inline or file source.
result<jose::KeySet> read_keys(const keys::Settings& settings);

}  // namespace signet::app
