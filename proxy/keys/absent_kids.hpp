// The kids that an issuer is known not to have: asked for, fetched for, and not there. A client that goes on
// with a token of a key long gone would else cause a fetch each cool-down, for ever.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/hash128.hpp"

namespace signet::keys {

// Pure, bounded. Kids are keyed hashes, since strangers choose them.
class AbsentKids {
  public:
    static constexpr std::size_t most_asked = 64;  // between two fetches
    static constexpr std::size_t most_known = 256;
    static constexpr std::uint8_t free_fetches = 2;  // the cool-down alone rules these

    explicit AbsentKids(milliseconds cooldown) : cooldown_(cooldown) {}

    // A fetch is due that is to bring it.
    void asked(Hash128 kid);
    // A fetch succeeded; a failed one says nothing of any kid. changed: the set is another one, so what was
    // known of the old one is forgotten; has: the kids of the set. From the third fetch in vain on, a kid
    // causes none for two cool-downs, then for four, never for longer: whoever guesses the kid of a key to
    // come must not keep it out.
    void fetched(SteadyTime now, bool changed, std::span<const Hash128> has);

    // Until `until` it causes no fetch.
    struct Quiet {
        Hash128 kid;
        SteadyTime until;
    };
    // Those that are to cause no fetch now; null: none. A new one for each change.
    [[nodiscard]] const std::shared_ptr<const std::vector<Quiet>>& quiet() const { return quiet_; }

  private:
    struct Entry {
        Hash128 kid;
        SteadyTime until;
        std::uint8_t times;
    };
    milliseconds cooldown_;
    std::vector<Hash128> asked_;
    std::vector<Entry> known_;  // oldest first
    std::shared_ptr<const std::vector<Quiet>> quiet_;
};

}  // namespace signet::keys
