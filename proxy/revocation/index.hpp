// Which targets are revoked, asked on every request. One thread changes it, every worker reads it, no reader
// ever locks or waits. Holds keyed hashes and times only: 32 bytes a slot, whatever the names are.
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
    // Frees what has ended and what no reader can see any more. Call now and then.
    void sweep(WallTime now);
    [[nodiscard]] std::size_t size() const { return live_; }

  private:
    struct Slot {
        std::atomic<std::uint64_t> low{0};
        std::atomic<std::uint64_t> high{0};
        std::atomic<std::int64_t> issued_before{0};  // milliseconds; `always`: no condition
        std::atomic<std::int64_t> ends{0};           // milliseconds; `never`; 0: removed
    };
    struct Table {
        explicit Table(std::size_t count) : mask(count - 1), slots(new Slot[count]) {}
        std::size_t mask;
        std::unique_ptr<Slot[]> slots;
    };
    struct Retired {
        std::unique_ptr<Table> table;
        std::uint64_t epoch;
    };
    static Slot* find(const Table& table, const TargetHash& target);
    Slot* claim(Table& table, const TargetHash& target);
    void rebuild(std::size_t slots, WallTime now);

    HashSeed seed_;
    std::atomic<Table*> table_;
    std::unique_ptr<Table> owner_;
    std::size_t used_ = 0;  // slots taken, removed ones included
    std::size_t live_ = 0;
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
