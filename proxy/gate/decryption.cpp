#include "gate/decryption.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace signet::gate {
namespace {

constexpr std::size_t max_candidates = 8;

}  // namespace

void Decryption::add(std::size_t issuer, std::vector<jose::DecryptionKey> keys) {
    for (auto& key : keys) {
        const auto twin =
            std::ranges::find_if(keys_, [&](const Key& other) { return other.key->is_same_as(key); });
        const auto same = twin == keys_.end() ? keys_.size() : twin->same;
        keys_.push_back({std::make_shared<const jose::DecryptionKey>(std::move(key)), issuer, same});
    }
}

bool Decryption::Key::may_open(const jose::EncryptedToken& token,
                               const std::vector<policy::IssuerRules>& issuers) const {
    const auto& rules = issuers[issuer].decryption;
    return rules && rules->allow(*token.algorithm, *token.encryption) &&
           key->fits(*token.algorithm, *token.encryption) &&
           (!token.kid || !key->kid() || *key->kid() == *token.kid);
}

bool Decryption::is_of(std::size_t place, const jose::EncryptedToken& token,
                       const std::vector<policy::IssuerRules>& issuers, std::size_t issuer) const {
    return std::ranges::any_of(keys_, [&](const Key& key) {
        return key.issuer == issuer && key.same == keys_[place].same && key.may_open(token, issuers);
    });
}

result<std::size_t> Decryption::open(const jose::EncryptedToken& token,
                                     const std::vector<policy::IssuerRules>& issuers,
                                     std::string& inner) const {
    // Without this word what is inside is a set of claims that nobody signed (RFC 7519 §5.2); a media type
    // without a slash is one of application/ (RFC 7516 §4.1.12).
    constexpr std::string_view tree = "application/";
    auto type = token.content_type.value_or(std::string_view{});
    if (iequals(type.substr(0, tree.size()), tree)) type.remove_prefix(tree.size());
    if (!iequals(type, "JWT")) return fault("its cty is not JWT, so that no signed token is in it");
    if (token.has_zip) return fault("its header has zip; compression is not supported");
    if (!token.algorithm) return fault("its alg encrypts no key in a way that is supported");
    if (!token.encryption) return fault("its enc is not supported");

    std::array<std::size_t, max_candidates> chosen{};
    std::size_t count = 0;
    const auto take = [&](std::size_t place) {
        const auto is_taken = [&](std::size_t other) { return keys_[other].same == keys_[place].same; };
        if (count < max_candidates && std::none_of(chosen.begin(), chosen.begin() + count, is_taken))
            chosen[count++] = place;
    };
    // Keys of that very name first: keys without one must not crowd them out.
    for (const bool named : {true, false})
        for (std::size_t place = 0; place < keys_.size(); ++place) {
            const auto& kid = keys_[place].key->kid();
            const bool is_named = token.kid && kid && *kid == *token.kid;
            if (is_named == named && keys_[place].may_open(token, issuers)) take(place);
        }
    for (std::size_t i = 0; i < count; ++i)
        if (keys_[chosen[i]].key->decrypt(token, inner)) return chosen[i];
    // One sentence, whether there was a key to try or not (the time that it took may tell).
    return fault("no decryption key that its header allows opens it");
}

}  // namespace signet::gate
