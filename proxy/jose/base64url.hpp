// base64url without padding (RFC 4648 §5, RFC 7515 §2), canonical only: one text for one value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace signet::jose {

// Bytes that `text` decodes to at most.
constexpr std::size_t decoded_size(std::size_t text) { return text / 4 * 3 + 2; }

// Decodes into out (room for decoded_size). nullopt: a foreign character, padding, a length of 4n+1, stray
// last bits.
std::optional<std::size_t> decode_base64url(std::string_view text, char* out);

std::optional<std::string> decode_base64url(std::string_view text);

void encode_base64url(std::string_view bytes, std::string& out);  // appends
std::string encode_base64url(std::string_view bytes);

}  // namespace signet::jose
