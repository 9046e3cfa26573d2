#include "revocation/memory_source.hpp"

namespace signet::revocation {

result<Entry> MemorySource::put(const Entry& entry) {
    auto [it, is_new] = entries_.try_emplace(entry.target.id(), entry);
    if (!is_new) it->second = merge(it->second, entry);
    return it->second;
}

result<std::optional<Entry>> MemorySource::remove(std::string_view id) {
    const auto it = entries_.find(id);
    if (it == entries_.end()) return std::optional<Entry>{};
    std::optional<Entry> removed = std::move(it->second);
    entries_.erase(it);
    return removed;
}

result<std::vector<Entry>> MemorySource::list(std::string_view after, std::size_t limit) {
    std::vector<Entry> out;
    for (auto it = entries_.upper_bound(after); it != entries_.end() && out.size() < limit; ++it)
        out.push_back(it->second);
    return out;
}

result<std::size_t> MemorySource::remove_ended(WallTime now) {
    return std::erase_if(entries_,
                         [&](const auto& e) { return e.second.expires_at && *e.second.expires_at < now; });
}

}  // namespace signet::revocation
