// Where one issuer's keys come from and how long they are believed: settings, immutable.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace signet::keys {

enum class SourceKind : std::uint8_t {
    inline_set,
    jwks_file,
    public_key_file,
    secret_file,
    jwks_uri,
    discovery_url,
    discovery
};

constexpr bool is_remote(SourceKind k) { return k >= SourceKind::jwks_uri; }
constexpr bool is_file(SourceKind k) {
    return k == SourceKind::jwks_file || k == SourceKind::public_key_file || k == SourceKind::secret_file;
}

struct Settings {
    std::string name;    // the issuer's label
    std::string issuer;  // as configured; discovery documents must name it
    SourceKind kind = SourceKind::discovery;
    std::string decryption_file;  // private keys of nested tokens; empty: none
    std::string location;         // path, URL, or the inline set as JSON
    std::string ca_file;
    std::string bearer_token_file;
    bool allow_http = false;
    bool allow_link_local = false;
    milliseconds refresh_interval{600'000};
    milliseconds refetch_cooldown{30'000};
    milliseconds max_stale{24 * 3'600'000};
    bool required_for_ready = true;

    friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace signet::keys
