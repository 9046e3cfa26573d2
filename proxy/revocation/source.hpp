// The port to where revocations are kept. Implementations live in store/ (SQLite) and here (memory).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "revocation/entry.hpp"

namespace signet::revocation {

// Used by the control thread only. What `put` has returned is kept as long as the store promises.
class Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    // Adds, or merges with what is there for the target and has not ended before `ended_before`, durably
    // where the store is durable. The entry as it stands then.
    virtual result<Entry> put(const Entry& entry, WallTime ended_before) = 0;
    // The entry removed, or nullopt if there was none with this id.
    virtual result<std::optional<Entry>> remove(std::string_view id) = 0;
    // Up to `limit` entries with an id greater than `after`, by id.
    virtual result<std::vector<Entry>> list(std::string_view after, std::size_t limit) = 0;
    // Forgets what ended before `now`, `limit` entries at most; how many.
    virtual result<std::size_t> remove_ended(WallTime now, std::size_t limit) = 0;
    [[nodiscard]] virtual std::string_view name() const = 0;  // "memory", "file"
};

}  // namespace signet::revocation
