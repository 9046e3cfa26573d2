#include "revocation/index.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace signet::revocation {
namespace {

constexpr std::int64_t always = std::numeric_limits<std::int64_t>::max();  // no issued_before: every token
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();   // no end
// A table is made 68 % full and grows when 80 % are taken: 40 to 47 bytes an entry, and a name that is not
// there, which is what is asked nearly always, is known not to be after a cache line or a few.
constexpr std::size_t smallest = 8;
constexpr std::size_t shards_at_once = 8;
constexpr bool is_full(std::size_t used, std::size_t count) { return (used + 1) * 10 > count * 8; }
constexpr std::size_t count_for(std::size_t live) {
    const auto count = (live + 1) * 100 / 68 + 1;
    return count < smallest ? smallest : count;
}

std::int64_t ms(WallTime t) { return t.time_since_epoch().count(); }

}  // namespace

Index::Index(HashSeed seed) : seed_(seed), shards_(new Shard[shard_count]) {}
Index::~Index() = default;

TargetHash Index::hash(Kind kind, std::string_view issuer, std::string_view value) const {
    // Lengths keep the parts apart, so no value can pose as another issuer's.
    std::string text;
    text.reserve(issuer.size() + value.size() + 24);
    text += static_cast<char>('0' + static_cast<int>(kind));
    text += std::to_string(issuer.size());
    text += ':';
    text += issuer;
    text += value;
    auto h = siphash128(seed_, text);
    if (h.low == 0) h.low = 1;  // 0 marks a free slot
    return h;
}

std::size_t Index::shard_of(const TargetHash& target) { return target.low % shard_count; }

std::size_t Index::Table::first(const TargetHash& target) const {
    // The upper half of a 32 by 64 bit product: `high` spread evenly over the slots, without a division.
    return static_cast<std::size_t>((target.high >> 32) * count >> 32);
}

Index::Slot* Index::find(const Table* table, const TargetHash& target) {
    if (table == nullptr) return nullptr;
    for (Slot* slot = table->slots.get() + table->first(target);; ++slot) {
        const auto low = slot->low.load(std::memory_order_acquire);
        if (low == target.low && slot->high.load(std::memory_order_relaxed) == target.high) return slot;
        if (low == 0) return nullptr;
    }
}

Index::Slot* Index::claim(Shard& shard, const TargetHash& target) {
    Table& table = *shard.owner;
    for (Slot* slot = table.slots.get() + table.first(target); slot + 1 != table.end(); ++slot) {
        const auto low = slot->low.load(std::memory_order_relaxed);
        if (low == target.low && slot->high.load(std::memory_order_relaxed) == target.high) return slot;
        if (low != 0) continue;
        // A slot is published by `low`, last; it keeps its name for the table's life, so a reader never sees
        // half of one.
        slot->high.store(target.high, std::memory_order_relaxed);
        slot->issued_before.store(0, std::memory_order_relaxed);
        slot->ends.store(0, std::memory_order_relaxed);
        slot->low.store(target.low, std::memory_order_release);
        ++shard.used;
        return slot;
    }
    return nullptr;
}

void Index::put(const TargetHash& target, std::optional<WallTime> issued_before,
                std::optional<WallTime> ends) {
    Shard& shard = shards_[shard_of(target)];
    if (!shard.owner || is_full(shard.used, shard.owner->count))
        rebuild(shard, count_for(shard.live), WallTime::min());
    Slot* slot = claim(shard, target);
    for (auto count = shard.owner->count; slot == nullptr; slot = claim(shard, target))
        rebuild(shard, count += count / 8 + 1, WallTime::min());
    const auto end = ends ? std::max<std::int64_t>(ms(*ends), 1) : never;  // 0 marks a removed slot
    const auto condition = issued_before ? ms(*issued_before) : always;
    const auto old_end = slot->ends.load(std::memory_order_relaxed);
    const bool was_live = old_end != 0;
    if (!was_live) {
        ++shard.live;
        ++live_;
    }
    // The condition first: a reader in between sees the new condition with the old end, or the old entry;
    // never a weaker one.
    slot->issued_before.store(
        was_live ? std::max(condition, slot->issued_before.load(std::memory_order_relaxed)) : condition,
        std::memory_order_release);
    slot->ends.store(std::max(end, old_end), std::memory_order_release);
}

void Index::remove(const TargetHash& target) {
    Shard& shard = shards_[shard_of(target)];
    Slot* const slot = find(shard.owner.get(), target);
    if (slot == nullptr || slot->ends.load(std::memory_order_relaxed) == 0) return;
    slot->ends.store(0, std::memory_order_release);
    --shard.live;
    --live_;
}

void Index::end(const TargetHash& target, WallTime now) {
    const Slot* const slot = find(shards_[shard_of(target)].owner.get(), target);
    if (slot != nullptr && slot->ends.load(std::memory_order_relaxed) <= ms(now)) remove(target);
}

bool Index::copy(const Table& old, WallTime now, Shard& fresh) {
    for (const Slot* from = old.slots.get(); from != old.end(); ++from) {
        const auto end = from->ends.load(std::memory_order_relaxed);
        if (from->low.load(std::memory_order_relaxed) == 0 || end == 0 || (end != never && end <= ms(now)))
            continue;
        Slot* const to = claim(
            fresh, {from->low.load(std::memory_order_relaxed), from->high.load(std::memory_order_relaxed)});
        if (to == nullptr) return false;
        to->issued_before.store(from->issued_before.load(std::memory_order_relaxed),
                                std::memory_order_relaxed);
        to->ends.store(end, std::memory_order_relaxed);
        ++fresh.live;
    }
    return true;
}

void Index::rebuild(Shard& shard, std::size_t count, WallTime now) {
    Shard fresh;
    while (true) {
        fresh.owner = std::make_unique<Table>(count);
        fresh.used = fresh.live = 0;
        if (!shard.owner || copy(*shard.owner, now, fresh)) break;
        count += count / 8 + 1;
    }
    live_ = live_ - shard.live + fresh.live;
    shard.used = fresh.used;
    shard.live = fresh.live;
    std::swap(shard.owner, fresh.owner);
    shard.table.store(shard.owner.get(), std::memory_order_seq_cst);
    if (!fresh.owner) return;
    // Readers that began in an epoch up to this one may still hold the old table.
    retired_.push_back({std::move(fresh.owner), epoch_.fetch_add(1, std::memory_order_seq_cst)});
    free_unseen();
}

void Index::sweep_shard(Shard& shard, WallTime now) {
    if (!shard.owner) return;
    bool any = false;
    for (Slot* slot = shard.owner->slots.get(); slot != shard.owner->end(); ++slot) {
        const auto end = slot->ends.load(std::memory_order_relaxed);
        if (end == 0 || end == never || end > ms(now)) continue;
        slot->ends.store(0, std::memory_order_release);
        --shard.live;
        --live_;
        any = true;
    }
    if (any && shard.used > smallest && shard.live * 4 < shard.used)
        rebuild(shard, count_for(shard.live), now);
}

bool Index::sweep_some(WallTime now) {
    for (std::size_t i = 0; i < shards_at_once; ++i) sweep_shard(shards_[next_to_sweep_ + i], now);
    next_to_sweep_ = (next_to_sweep_ + shards_at_once) % shard_count;
    free_unseen();
    return next_to_sweep_ == 0;
}

void Index::sweep(WallTime now) {
    for (std::size_t i = 0; i < shard_count; ++i) sweep_shard(shards_[i], now);
    free_unseen();
}

void Index::free_unseen() {
    if (retired_.empty()) return;
    std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
    for (const auto* reader : readers_)
        if (const auto inside = reader->inside_.load(std::memory_order_seq_cst); inside != 0)
            oldest = std::min(oldest, inside);
    std::erase_if(retired_, [&](const Retired& r) { return r.epoch < oldest; });
}

Index::Reader::Reader(Index& index) : index_(index) { index_.readers_.push_back(this); }
Index::Reader::~Reader() { std::erase(index_.readers_, this); }

bool Index::Reader::is_revoked(const TargetHash* first, const TargetHash* last,
                               std::optional<WallTime> issued, WallTime now) {
    inside_.store(index_.epoch_.load(std::memory_order_seq_cst), std::memory_order_seq_cst);
    bool revoked = false;
    for (; first != last && !revoked; ++first) {
        const Table* const table = index_.shards_[shard_of(*first)].table.load(std::memory_order_seq_cst);
        const Slot* const slot = find(table, *first);
        if (slot == nullptr) continue;
        const auto ends = slot->ends.load(std::memory_order_acquire);
        if (ends <= ms(now)) continue;
        const auto issued_before = slot->issued_before.load(std::memory_order_acquire);
        revoked = issued_before == always || !issued || ms(*issued) <= issued_before;
    }
    inside_.store(0, std::memory_order_release);
    return revoked;
}

}  // namespace signet::revocation
