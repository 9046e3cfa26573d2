// The keys that open encrypted tokens (RFC 7516). Whose token it is stands inside, so that the keys of all
// issuers are candidates, and the one that worked must then be one of the issuer's own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "jose/decryption_key.hpp"
#include "policy/issuer_rules.hpp"

namespace signet::gate {

class Decryption {
  public:
    void add(std::size_t issuer, std::vector<jose::DecryptionKey> keys);
    [[nodiscard]] bool empty() const { return keys_.empty(); }

    // The place of the key that opened `token`; `inner` is what was in it. The Fault tells what the token's
    // own header shows, and nothing of how far a key got.
    result<std::size_t> open(const jose::EncryptedToken& token,
                             const std::vector<policy::IssuerRules>& issuers, std::string& inner) const;

    // May `token`, which the key at `place` opened, be that issuer's? The same key in two issuers' sets is
    // both's, each by its own rules.
    [[nodiscard]] bool is_of(std::size_t place, const jose::EncryptedToken& token,
                             const std::vector<policy::IssuerRules>& issuers, std::size_t issuer) const;

  private:
    struct Key {
        std::shared_ptr<const jose::DecryptionKey> key;
        std::size_t issuer;
        std::size_t same;  // the first place with this very key

        // By its own word and its issuer's rules; its kid, where both have one, is the token's.
        [[nodiscard]] bool may_open(const jose::EncryptedToken& token,
                                    const std::vector<policy::IssuerRules>& issuers) const;
    };
    std::vector<Key> keys_;
};

}  // namespace signet::gate
