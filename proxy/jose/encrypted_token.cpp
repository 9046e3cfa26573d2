#include "jose/encrypted_token.hpp"

#include <algorithm>

#include "jose/base64url.hpp"

namespace signet::jose {

bool is_encrypted(TokenText text) { return std::ranges::count(text.reveal(), '.') == 4; }

result<EncryptedToken> EncryptedTokenReader::read(TokenText text) {
    if (!is_encrypted(text)) return fault("it is not five parts with dots between them");
    constexpr std::array<const char*, 5> names{"header", "encrypted key", "initialization vector",
                                               "ciphertext", "tag"};
    EncryptedToken token;
    const std::array<std::string_view*, 5> where{nullptr, &token.encrypted_key, &token.iv, &token.ciphertext,
                                                 &token.tag};
    std::string_view rest = text.reveal();
    std::string_view header_json;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const auto part = rest.substr(0, rest.find('.'));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        auto& buffer = parts_[i];
        if (buffer.size() < decoded_size(part.size())) buffer.resize(decoded_size(part.size()));
        const auto size = decode_base64url(part, buffer.data());
        if (!size) return fault(std::string("its ") + names[i] + " is not canonical base64url");
        const std::string_view decoded(buffer.data(), *size);
        if (i == 0) {
            token.authenticated = part;
            header_json = decoded;
        } else {
            *where[i] = decoded;
        }
    }
    const auto header = header_.parse(header_json);
    if (!header) return fault("its header is not strict JSON: " + header.error().message);
    if (!header->is_object()) return fault("its header is not a JSON object");
    token.header = *header;
    if (const auto alg = header->find("alg"))
        if (const auto name = alg->string()) token.algorithm = key_management_from(*name);
    if (const auto enc = header->find("enc"))
        if (const auto name = enc->string()) token.encryption = content_encryption_from(*name);
    for (const auto& [name, to] : {std::pair{"kid", &token.kid}, {"cty", &token.content_type}}) {
        const auto member = header->find(name);
        if (!member) continue;
        *to = member->string();
        if (!*to) return fault(std::string("its ") + name + " is not a string");
    }
    token.has_crit = header->find("crit").has_value();
    token.has_zip = header->find("zip").has_value();
    return token;
}

}  // namespace signet::jose
