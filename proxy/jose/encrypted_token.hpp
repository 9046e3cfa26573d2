// A compact JWE (RFC 7516 §7.1) taken apart. Nothing in it is to be believed; its header least of all, since
// whoever has the public key can make one.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/token_text.hpp"
#include "jose/encryption.hpp"

namespace signet::jose {

// Views into the reader's buffers and into the token's own text; good until the reader reads again.
struct EncryptedToken {
    json::Value header;
    std::string_view authenticated;  // the header as it came: what the tag covers (§5.1 step 14)
    std::string_view encrypted_key;  // decoded, as are the next three; empty where none is sent
    std::string_view iv;
    std::string_view ciphertext;
    std::string_view tag;
    std::optional<KeyManagement>
        algorithm;  // nullopt: unknown to us, absent, or no string; so for encryption
    std::optional<ContentEncryption> encryption;
    std::optional<std::string_view> kid;
    std::optional<std::string_view> content_type;  // cty
    bool has_crit = false;
    bool has_zip = false;
};

// Five parts, so no JWS. Says nothing of what is in them.
bool is_encrypted(TokenText text);

// Reads tokens one after the other with buffers that it keeps. One per thread.
class EncryptedTokenReader {
  public:
    // No Fault: five canonical parts, the header a strict JSON object, kid and cty strings where present.
    result<EncryptedToken> read(TokenText text);

  private:
    std::array<std::string, 5> parts_;
    json::Document header_;
};

}  // namespace signet::jose
