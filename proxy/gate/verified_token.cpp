#include "gate/verified_token.hpp"

#include <cstring>
#include <new>

namespace signet::gate {

TokenPtr VerifiedToken::make(const Parts& parts) {
    const std::string_view texts[] = {parts.text, parts.claim_lines, parts.logged_claims, parts.jti,
                                      parts.kid};
    std::size_t size = sizeof(VerifiedToken) + parts.targets.size_bytes() + parts.routes;
    for (const auto text : texts) size += text.size();
    const std::size_t without_payload = size;
    const bool apart = parts.payload_base64.data() < parts.text.data() ||
                       parts.payload_base64.data() >= parts.text.data() + parts.text.size();
    if (apart) size += parts.payload_base64.size();
    auto* const block = static_cast<char*>(::operator new(size));
    TokenPtr out(new (block) VerifiedToken);
    VerifiedToken& token = *out;
    const auto narrow = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
    const auto time = [](const std::optional<WallTime>& t) {
        return t ? t->time_since_epoch().count() : absent;
    };
    token.block_size_ = narrow(size);
    token.expires_ = time(parts.times.expires);
    token.not_before_ = time(parts.times.not_before);
    token.issued_ = time(parts.times.issued);
    token.text_size_ = narrow(parts.text.size());
    token.payload_at_ =
        narrow(apart ? without_payload - sizeof(VerifiedToken) - parts.targets.size_bytes()
                     : static_cast<std::size_t>(parts.payload_base64.data() - parts.text.data()));
    token.payload_size_ = narrow(parts.payload_base64.size());
    token.lines_size_ = narrow(parts.claim_lines.size());
    token.logged_size_ = narrow(parts.logged_claims.size());
    token.jti_size_ = narrow(parts.jti.size());
    token.kid_size_ = narrow(parts.kid.size());
    token.claims_left_out_ = parts.claims_left_out;
    token.target_count_ = static_cast<std::uint16_t>(parts.targets.size());
    token.issuer_ = parts.issuer;
    token.audience_matches_ = parts.audience_matches;
    char* at = block + sizeof(VerifiedToken);
    std::memcpy(at, parts.targets.data(), parts.targets.size_bytes());
    at += parts.targets.size_bytes();
    for (const auto text : texts) {
        if (!text.empty()) std::memcpy(at, text.data(), text.size());
        at += text.size();
    }
    std::memset(at, 0, parts.routes);
    if (apart) std::memcpy(at + parts.routes, parts.payload_base64.data(), parts.payload_base64.size());
    return out;
}

}  // namespace signet::gate
