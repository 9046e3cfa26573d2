// Revocations over the admin API: JSON in, entries out, and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "revocation/entry.hpp"

namespace signet::admin {

// One of jti, sid, sub, client, kid with an optional issuer, or an issuer alone; issued_before, expires_at
// (Unix seconds or RFC 3339), reason.
result<revocation::Entry> parse_revocation(std::string_view json_text, WallTime now);

std::string entry_json(const revocation::Entry& entry, bool with_reach);
std::string entries_json(const std::vector<revocation::Entry>& entries, std::string_view next_cursor);

}  // namespace signet::admin
