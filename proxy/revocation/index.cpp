#include "revocation/index.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

namespace signet::revocation {
namespace {

constexpr std::int64_t always = std::numeric_limits<std::int64_t>::max();  // no issued_before: every token
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();   // no end
constexpr std::size_t smallest = 1024;

std::int64_t ms(WallTime t) { return t.time_since_epoch().count(); }

}  // namespace

Index::Index(HashSeed seed) : seed_(seed), table_(nullptr), owner_(std::make_unique<Table>(smallest)) {
    table_.store(owner_.get());
}
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

Index::Slot* Index::find(const Table& table, const TargetHash& target) {
    for (std::size_t at = target.high & table.mask;; at = (at + 1) & table.mask) {
        Slot& slot = table.slots[at];
        const auto low = slot.low.load(std::memory_order_acquire);
        if (low == 0) return nullptr;
        if (low == target.low && slot.high.load(std::memory_order_relaxed) == target.high) return &slot;
    }
}

Index::Slot* Index::claim(Table& table, const TargetHash& target) {
    if (Slot* there = find(table, target)) return there;
    for (std::size_t at = target.high & table.mask;; at = (at + 1) & table.mask) {
        Slot& slot = table.slots[at];
        if (slot.low.load(std::memory_order_relaxed) != 0) continue;
        // A slot is published by `low`, last; it keeps its name for the table's life, so a reader never sees
        // half of one.
        slot.high.store(target.high, std::memory_order_relaxed);
        slot.issued_before.store(0, std::memory_order_relaxed);
        slot.ends.store(0, std::memory_order_relaxed);
        slot.low.store(target.low, std::memory_order_release);
        ++used_;
        return &slot;
    }
}

void Index::put(const TargetHash& target, std::optional<WallTime> issued_before,
                std::optional<WallTime> ends) {
    if ((used_ + 1) * 3 > (owner_->mask + 1) * 2)
        rebuild(std::max(smallest, std::bit_ceil(live_ * 3 + 1)), WallTime::min());
    Slot* const slot = claim(*owner_, target);
    const auto end = ends ? std::max<std::int64_t>(ms(*ends), 1) : never;  // 0 marks a removed slot
    const auto condition = issued_before ? ms(*issued_before) : always;
    const auto old_end = slot->ends.load(std::memory_order_relaxed);
    const bool was_live = old_end != 0;
    if (!was_live) ++live_;
    // The condition first: a reader in between sees the new condition with the old end, or the old entry;
    // never a weaker one.
    slot->issued_before.store(
        was_live ? std::max(condition, slot->issued_before.load(std::memory_order_relaxed)) : condition,
        std::memory_order_release);
    slot->ends.store(std::max(end, old_end), std::memory_order_release);
}

void Index::remove(const TargetHash& target) {
    Slot* const slot = find(*owner_, target);
    if (slot == nullptr || slot->ends.load(std::memory_order_relaxed) == 0) return;
    slot->ends.store(0, std::memory_order_release);
    --live_;
}

void Index::end(const TargetHash& target, WallTime now) {
    const Slot* const slot = find(*owner_, target);
    if (slot != nullptr && slot->ends.load(std::memory_order_relaxed) <= ms(now)) remove(target);
}

void Index::rebuild(std::size_t slots, WallTime now) {
    auto fresh = std::make_unique<Table>(slots);
    const Table& old = *owner_;
    used_ = live_ = 0;
    for (std::size_t i = 0; i <= old.mask; ++i) {
        const Slot& from = old.slots[i];
        const auto end = from.ends.load(std::memory_order_relaxed);
        if (from.low.load(std::memory_order_relaxed) == 0 || end == 0 || (end != never && end <= ms(now)))
            continue;
        Slot* const to = claim(
            *fresh, {from.low.load(std::memory_order_relaxed), from.high.load(std::memory_order_relaxed)});
        to->issued_before.store(from.issued_before.load(std::memory_order_relaxed),
                                std::memory_order_relaxed);
        to->ends.store(end, std::memory_order_relaxed);
        ++live_;
    }
    table_.store(fresh.get(), std::memory_order_seq_cst);
    // Readers that began in an epoch up to this one may still hold the old table.
    retired_.push_back({std::move(owner_), epoch_.fetch_add(1, std::memory_order_seq_cst)});
    owner_ = std::move(fresh);
}

void Index::sweep(WallTime now) {
    std::size_t ended = 0;
    const Table& table = *owner_;
    for (std::size_t i = 0; i <= table.mask; ++i) {
        Slot& slot = table.slots[i];
        const auto end = slot.ends.load(std::memory_order_relaxed);
        if (end == 0 || end == never || end > ms(now)) continue;
        slot.ends.store(0, std::memory_order_release);
        --live_;
        ++ended;
    }
    if (ended != 0 && used_ > smallest && live_ * 4 < used_)
        rebuild(std::max(smallest, std::bit_ceil(live_ * 3 + 1)), now);
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
    const Table& table = *index_.table_.load(std::memory_order_seq_cst);
    bool revoked = false;
    for (; first != last && !revoked; ++first) {
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
