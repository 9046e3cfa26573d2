// Verified tokens of one worker, found by their whole text. Belongs to one generation of keys and rules: the
// gate clears it with either (CVE-2026-33496, CVE-2026-35039). Bounded in bytes; the least recently used go
// first, about (CLOCK).
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "base/hash128.hpp"
#include "base/token_text.hpp"
#include "gate/verified_token.hpp"

namespace signet::gate {

class TokenCache {
  public:
    TokenCache(std::size_t max_bytes, HashSeed seed) : max_bytes_(max_bytes), seed_(seed) {}

    // The token with exactly this text, or null.
    [[nodiscard]] TokenPtr find(TokenText text);
    void put(TokenPtr token);
    void erase(TokenText text);
    void clear();

    [[nodiscard]] std::size_t size() const { return map_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    [[nodiscard]] std::uint64_t key_of(TokenText text) const;
    void drop(std::uint32_t place);

    std::size_t max_bytes_;
    HashSeed seed_;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> map_;  // key -> place
    std::vector<TokenPtr> places_;
    std::vector<std::uint32_t> free_;
    std::size_t hand_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace signet::gate
