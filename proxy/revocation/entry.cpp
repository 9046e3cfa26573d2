#include "revocation/entry.hpp"

#include <algorithm>
#include <array>

#include "base/hash128.hpp"

namespace signet::revocation {
namespace {

constexpr std::array<std::string_view, 6> words{"jti", "sid", "sub", "client", "kid", "issuer"};

}  // namespace

std::string_view word(Kind kind) { return words[static_cast<std::size_t>(kind)]; }

std::optional<Kind> kind_from(std::string_view text) {
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == text) return static_cast<Kind>(i);
    return std::nullopt;
}

std::string TargetKey::id() const {
    // A fixed seed: this names entries for people, it protects no table. Lengths keep the parts apart.
    std::string text(word(kind));
    text += ':' + std::to_string(issuer.size()) + ':' + issuer + value;
    const auto hash = siphash128({0x5369676e65740001ULL, 0x7265766f63617469ULL}, text);
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const auto half : {hash.high, hash.low})
        for (int shift = 60; shift >= 0; shift -= 4) out += digits[(half >> shift) & 15];
    return out;
}

Entry merge(const Entry& old, const Entry& added) {
    Entry out = added;
    out.created = std::min(old.created, added.created);
    if (!old.issued_before || !added.issued_before)
        out.issued_before.reset();
    else
        out.issued_before = std::max(*old.issued_before, *added.issued_before);
    if (!old.expires_at || !added.expires_at)
        out.expires_at.reset();
    else
        out.expires_at = std::max(*old.expires_at, *added.expires_at);
    if (out.reason.empty()) out.reason = old.reason;
    return out;
}

}  // namespace signet::revocation
