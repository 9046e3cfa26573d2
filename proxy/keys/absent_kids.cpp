#include "keys/absent_kids.hpp"

#include <algorithm>

namespace signet::keys {

void AbsentKids::asked(Hash128 kid) {
    if (asked_.size() < most_asked && std::ranges::find(asked_, kid) == asked_.end()) asked_.push_back(kid);
}

void AbsentKids::fetched(SteadyTime now, bool changed, std::span<const Hash128> has) {
    if (changed) known_.clear();
    for (const auto& kid : asked_) {
        if (std::ranges::find(has, kid) != has.end()) continue;
        auto found = std::ranges::find(known_, kid, &Entry::kid);
        if (found == known_.end()) {
            if (known_.size() == most_known) {
                // A flood of random kids pushes out its own: those in vain once, oldest first.
                const auto once = std::ranges::find(known_, 1, &Entry::times);
                known_.erase(once != known_.end() ? once : known_.begin());
            }
            known_.push_back({kid, now, 0});
            found = known_.end() - 1;
        }
        if (found->times < free_fetches + 2) ++found->times;
        if (found->times <= free_fetches) continue;
        found->until = now + cooldown_ * (found->times == free_fetches + 1 ? 2 : 4);
    }
    asked_.clear();
    std::vector<Quiet> quiet;
    for (const auto& entry : known_)
        if (entry.until > now) quiet.push_back({entry.kid, entry.until});
    quiet_ = quiet.empty() ? nullptr : std::make_shared<const std::vector<Quiet>>(std::move(quiet));
}

}  // namespace signet::keys
