#include "gate/token_cache.hpp"

namespace signet::gate {

std::uint64_t TokenCache::key_of(TokenText text) const {
    // The tail is the signature's, or an encrypted token's tag: as good as random for every token that a key
    // has verified, and only those come in here.
    const auto all = text.reveal();
    const auto tail = all.size() > 32 ? all.substr(all.size() - 32) : all;
    return siphash128({seed_.k0 ^ all.size(), seed_.k1}, tail).low;
}

TokenPtr TokenCache::find(TokenText text) {
    const auto it = map_.find(key_of(text));
    if (it == map_.end()) return {};
    const TokenPtr& token = places_[it->second];
    if (token->text() != text.reveal()) return {};
    token->used_lately_ = true;
    return token;
}

void TokenCache::put(TokenPtr token) {
    const auto cost = token->footprint();
    if (cost > max_bytes_) return;
    const auto key = key_of(TokenText(token->text()));
    if (const auto it = map_.find(key); it != map_.end()) drop(it->second);
    while (bytes_ + cost > max_bytes_ && !map_.empty()) {
        hand_ = hand_ + 1 >= places_.size() ? 0 : hand_ + 1;
        const TokenPtr& kept = places_[hand_];
        if (!kept) continue;
        if (kept->used_lately_)
            kept->used_lately_ = false;
        else
            drop(static_cast<std::uint32_t>(hand_));
    }
    std::uint32_t at = 0;
    if (free_.empty()) {
        at = static_cast<std::uint32_t>(places_.size());
        places_.emplace_back();
    } else {
        at = free_.back();
        free_.pop_back();
    }
    bytes_ += cost;
    token->cache_key_ = key;
    token->used_lately_ = false;
    places_[at] = std::move(token);
    map_[key] = at;
}

void TokenCache::drop(std::uint32_t at) {
    TokenPtr& token = places_[at];
    bytes_ -= token->footprint();
    map_.erase(token->cache_key_);
    token.reset();
    free_.push_back(at);
}

void TokenCache::erase(TokenText text) {
    const auto it = map_.find(key_of(text));
    if (it != map_.end() && places_[it->second]->text() == text.reveal()) drop(it->second);
}

void TokenCache::clear() {
    map_.clear();
    places_.clear();
    free_.clear();
    hand_ = 0;
    bytes_ = 0;
}

}  // namespace signet::gate
