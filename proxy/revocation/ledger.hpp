// Source and index together: what is acknowledged is kept and at once asked. The control thread's.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "revocation/index.hpp"
#include "revocation/source.hpp"

namespace signet::revocation {

class Ledger {
  public:
    // skew: the largest clock skew of all issuers; entries hold that much longer, as tokens do.
    Ledger(Index& index, std::unique_ptr<Source> source, milliseconds skew)
        : index_(index), source_(std::move(source)), skew_(skew) {}

    // Reads everything into the index; how many entries.
    result<std::size_t> load(WallTime now);

    // Kept first, asked second, returned third: after this every new request is judged by it.
    result<Entry> put(const Entry& entry, WallTime now);
    result<std::optional<Entry>> remove(std::string_view id);
    result<std::vector<Entry>> list(std::string_view after, std::size_t limit) {
        return source_->list(after, limit);
    }
    // Forgets what has ended, a little at a time, since requests and changes wait for this thread. true:
    // there is more to do.
    result<bool> sweep(WallTime now);

    void set_skew(
        milliseconds skew);  // after a reload; only ever grows, so that nothing already told ends earlier
    [[nodiscard]] std::string_view store_name() const { return source_->name(); }
    [[nodiscard]] std::size_t size() const { return index_.size(); }

  private:
    void apply(const Entry& entry);
    [[nodiscard]] TargetHash hash(const TargetKey& target) const {
        return index_.hash(target.kind, target.issuer, target.value);
    }

    Index& index_;
    std::unique_ptr<Source> source_;
    milliseconds skew_;
};

}  // namespace signet::revocation
