// What can be revoked, and for how long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace signet::revocation {

enum class Kind : std::uint8_t { jti, sid, sub, client, kid, issuer };

std::string_view word(Kind kind);
std::optional<Kind> kind_from(std::string_view word);

// Whom an entry hits. issuer empty: whatever the issuer. Kind::issuer: `value` is empty and the issuer itself
// is meant.
struct TargetKey {
    Kind kind = Kind::jti;
    std::string issuer;
    std::string value;

    // Text of `id` in the admin API: the same target has the same id, in every instance.
    [[nodiscard]] std::string id() const;
    friend bool operator==(const TargetKey&, const TargetKey&) = default;
};

struct Entry {
    TargetKey target;
    std::optional<WallTime> issued_before;  // tokens whose iat is later stay good; absent: no condition
    std::optional<WallTime> expires_at;     // absent: until removed
    std::string reason;
    WallTime created{};
};

inline bool has_ended(const Entry& e, WallTime before) { return e.expires_at && *e.expires_at < before; }

// What both entries together say. Never weaker than either: no condition beats issued_before, the later time
// and the later end win, no end beats an end.
Entry merge(const Entry& old, const Entry& added);

}  // namespace signet::revocation
