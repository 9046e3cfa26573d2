// A whole configuration: each room's settings, filled and checked.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/settings.hpp"
#include "config/problem.hpp"
#include "gate/rules.hpp"
#include "keys/settings.hpp"
#include "net/settings.hpp"
#include "telemetry/settings.hpp"

namespace signet::config {

enum class RevocationStore : unsigned char { memory, file };

struct Configuration {
    std::shared_ptr<gate::Rules> rules = std::make_shared<gate::Rules>();
    std::shared_ptr<net::Settings> net = std::make_shared<net::Settings>();
    std::vector<keys::Settings> keys;  // by issuer index
    std::optional<net::Address> admin_address = net::Address{"127.0.0.1", 9901};
    admin::Settings admin;
    std::optional<net::Address> health_address;
    telemetry::Settings log;
    std::size_t workers = 0;  // 0: auto
    std::string state_dir;
    bool watch = false;
    RevocationStore revocation_store = RevocationStore::memory;
    std::size_t cache_bytes = 16 * 1024 * 1024;
    std::string sha256;  // of the file's bytes, hex

    std::map<std::string, Mark> marks;  // where each key stood
    Problems warnings;

    [[nodiscard]] milliseconds largest_skew() const {
        milliseconds most{0};
        for (const auto& issuer : rules->issuers) most = std::max(most, issuer.clock_skew);
        return most;
    }
};

}  // namespace signet::config
