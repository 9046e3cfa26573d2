#include "revocation/ledger.hpp"

#include <algorithm>

namespace signet::revocation {

void Ledger::apply(const Entry& entry) {
    std::optional<WallTime> ends;
    if (entry.expires_at) ends = *entry.expires_at + skew_;
    index_.put(hash(entry.target), entry.issued_before, ends);
}

result<std::size_t> Ledger::load(WallTime now) {
    constexpr std::size_t page = 10'000;
    std::size_t count = 0;
    std::string after;
    while (true) {
        const auto entries = source_->list(after, page);
        if (!entries) return entries.error();
        for (const auto& entry : *entries) {
            if (has_ended(entry, now - skew_)) continue;  // a sweep takes it out of the source
            apply(entry);
            ++count;
        }
        if (entries->size() < page) return count;
        after = entries->back().target.id();
    }
}

result<Entry> Ledger::put(const Entry& entry, WallTime now) {
    // What has ended must not lend its strength to a new entry for the same target.
    index_.end(hash(entry.target), now);
    auto kept = source_->put(entry, now - skew_);
    if (kept) apply(*kept);
    return kept;
}

result<std::optional<Entry>> Ledger::remove(std::string_view id) {
    auto removed = source_->remove(id);
    if (removed && *removed) index_.remove(hash((*removed)->target));
    return removed;
}

result<bool> Ledger::sweep(WallTime now) {
    constexpr std::size_t batch = 1'000;
    const bool round_over = index_.sweep_some(now);
    const auto removed = source_->remove_ended(now - skew_, batch);
    if (!removed) return removed.error();
    return !round_over || *removed == batch;
}

void Ledger::set_skew(milliseconds skew) {
    if (skew <= skew_) return;
    skew_ = skew;
    std::string after;
    while (true) {  // entries already known hold longer now
        const auto entries = source_->list(after, 10'000);
        if (!entries || entries->empty()) return;
        for (const auto& entry : *entries) apply(entry);
        after = entries->back().target.id();
    }
}

}  // namespace signet::revocation
