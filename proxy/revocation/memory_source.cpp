#include "revocation/memory_source.hpp"

namespace signet::revocation {

result<Entry> MemorySource::put(const Entry& entry, WallTime ended_before) {
    auto [it, is_new] = entries_.try_emplace(entry.target.id(), entry);
    if (!is_new) it->second = has_ended(it->second, ended_before) ? entry : merge(it->second, entry);
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

result<std::size_t> MemorySource::remove_ended(WallTime now, std::size_t limit) {
    std::size_t removed = 0;
    for (auto it = entries_.begin(); it != entries_.end() && removed < limit;) {
        const bool ended = has_ended(it->second, now);
        it = ended ? entries_.erase(it) : std::next(it);
        removed += ended ? 1 : 0;
    }
    return removed;
}

}  // namespace signet::revocation
