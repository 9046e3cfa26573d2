// What each field name means to us. Names are compared the way gateways behind us flatten them: case is
// ignored and every character that is no letter or digit counts as '-', so X_Auth_Subject is X-Auth-Subject
// (CVE-2025-64484, CVE-2026-39858).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace signet::http {

enum class HeaderId : std::uint8_t {
    other,
    host,
    connection,
    content_length,
    transfer_encoding,
    authorization,
    cookie,
    expect,
    upgrade,
    origin,
    sec_fetch_site,
    access_control_request_method,
    hop_by_hop,  // Keep-Alive, TE, Trailer, Proxy-Connection, … (RFC 9110 §7.6.1): never passed on
    x_forwarded_for,
    x_forwarded_proto,
    x_forwarded_host,
    x_request_id,
};

enum class Drop : std::uint8_t { never, unless_trusted, always };

struct HeaderKind {
    HeaderId id = HeaderId::other;
    Drop drop = Drop::never;
    std::int8_t token_source = -1;  // index into Extraction::headers
};

// FNV-1a over the flattened name, computed while the name's characters are checked.
inline constexpr std::uint32_t name_hash_start = 2166136261u;
constexpr char flatten(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c + 32);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
}
constexpr std::uint32_t hash_step(std::uint32_t h, char flattened) {
    return (h ^ static_cast<unsigned char>(flattened)) * 16777619u;
}

// Are the two one name to a gateway that flattens?
bool flat_equal(std::string_view a, std::string_view b);

// Immutable once built; shared between threads as const.
class HeaderNames {
  public:
    HeaderNames();  // the names that HTTP and we ourselves give a meaning

    // Removes `name`, and with a final '*' every name that begins so.
    void remove(std::string_view name, Drop drop);
    void add_token_source(std::string_view name, std::int8_t index);

    // hash: of the flattened name. A name that only resembles one with a meaning (Content_Length) has none
    // and is dropped.
    [[nodiscard]] HeaderKind classify(std::string_view name, std::uint32_t hash) const;

  private:
    struct Entry {
        std::string flattened;
        std::uint32_t hash;
        HeaderKind kind;
    };
    struct Prefix {
        std::string flattened;
        Drop drop;
    };
    Entry& entry(std::string_view name);
    void index();

    std::vector<Entry> entries_;
    std::vector<std::uint16_t> slots_;  // 1 + index into entries_, 0: free; open addressing
    std::vector<Prefix> prefixes_;
};

}  // namespace signet::http
