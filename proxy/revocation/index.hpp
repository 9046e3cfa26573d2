// Which targets are revoked, asked on every request. One thread changes it, every worker reads it, no reader
// ever locks or waits. Holds keyed hashes and times only: 32 bytes a slot, whatever the names are.
//
// It is cut into shards, each a small table that grows by itself: growing copies one shard at a time, so that
// neither a change nor a request waits for ten million entries to move.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/hash128.hpp"
#include "revocation/entry.hpp"

namespace signet::revocation {

// What a token offers for look-up, hashed once when it was verified.
using TargetHash = Hash128;

class Index {
  public:
    explicit Index(HashSeed seed);
    ~Index();
    Index(const Index&) = delete;
    Index& operator=(const Index&) = delete;

    // A reader's handle: one per reading thread, made and ended by the owner while no one else changes the
    // list of readers (at start and at the end). What a reader may still see is not freed.
    class Reader;

    [[nodiscard]] TargetHash hash(Kind kind, std::string_view issuer, std::string_view value) const;

    // ---- the one writer ----
    // Adds or strengthens. ends: what counts for requests, the clock skew included; nullopt: until removed.
    void put(const TargetHash& target, std::optional<WallTime> issued_before, std::optional<WallTime> ends);
    void remove(const TargetHash& target);
    void end(const TargetHash& target, WallTime now);  // removes it if it has ended
    // Frees what has ended and what no reader can see any more: all at once, or, so that nobody waits, of the
    // next few shards; true: that was the end of a round.
    void sweep(WallTime now);
    bool sweep_some(WallTime now);
    [[nodiscard]] std::size_t size() const { return live_; }

  private:
    struct Slot {
        std::atomic<std::uint64_t> low{0};
        std::atomic<std::uint64_t> high{0};
        std::atomic<std::int64_t> issued_before{0};  // milliseconds; `always`: no condition
        std::atomic<std::int64_t> ends{0};           // milliseconds; `never`; 0: removed
    };
    struct Table {
        // A search goes on past the last of `count` slots into these, and never around: the very last one
        // stays free and ends it.
        static constexpr std::size_t spill = 24;

        explicit Table(std::size_t n) : count(n), slots(new Slot[n + spill]) {}
        // Any count will do, no power of two: tables grow by little, and stay full.
        [[nodiscard]] std::size_t first(const TargetHash& target) const;
        [[nodiscard]] Slot* end() const { return slots.get() + count + spill; }
        std::size_t count;
        std::unique_ptr<Slot[]> slots;
    };
    struct Shard {
        std::atomic<Table*> table{nullptr};  // null: nothing yet
        std::unique_ptr<Table> owner;
        std::uint32_t used = 0;  // slots taken, removed ones included
        std::uint32_t live = 0;
    };
    static constexpr std::size_t shard_count = 1024;
    struct Retired {
        std::unique_ptr<Table> table;
        std::uint64_t epoch;
    };
    static std::size_t shard_of(const TargetHash& target);
    static Slot* find(const Table* table, const TargetHash& target);
    static Slot* claim(Shard& shard, const TargetHash& target);  // null: no room left where it belongs
    void rebuild(Shard& shard, std::size_t count, WallTime now);
    // All that is live at `now`, into an empty shard; false: one of them found no room.
    static bool copy(const Table& old, WallTime now, Shard& fresh);
    void sweep_shard(Shard& shard, WallTime now);
    void free_unseen();

    HashSeed seed_;
    std::unique_ptr<Shard[]> shards_;
    std::size_t live_ = 0;
    std::size_t next_to_sweep_ = 0;
    std::vector<Retired> retired_;
    std::atomic<std::uint64_t> epoch_{1};
    std::vector<Reader*> readers_;
};

class Index::Reader {
  public:
    explicit Reader(Index& index);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // Is one of the targets revoked at `now` for a token issued at `issued` (absent: revoked whatever the
    // condition)?
    [[nodiscard]] bool is_revoked(const TargetHash* first, const TargetHash* last,
                                  std::optional<WallTime> issued, WallTime now);

  private:
    friend class Index;
    Index& index_;
    alignas(64) std::atomic<std::uint64_t> inside_{
        0};  // the epoch in which the current look-up began, 0: none
};

}  // namespace signet::revocation
