// A compact JWS (RFC 7515 §7.1) taken apart. Nothing in it is to be believed until a key has verified it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/token_text.hpp"
#include "jose/algorithm.hpp"

namespace signet::jose {

// Views into the reader's buffers and into the token's own text; good until the reader reads again.
struct Token {
    json::Value header;
    json::Value payload;                 // an object
    std::string_view payload_json;       // its bytes, decoded
    std::string_view payload_base64;     // as it came
    std::string_view signing_input;      // header '.' payload, as it came
    std::string_view signature;          // decoded
    std::string_view algorithm_name;     // header alg where it is a string
    std::optional<Algorithm> algorithm;  // nullopt: unknown to us, absent, or no string
    std::optional<std::string_view> kid;
    std::optional<std::string_view> typ;
    bool has_crit = false;
};

// Reads tokens one after the other with buffers that it keeps. One per thread.
class TokenReader {
  public:
    // The Fault's message names the part and the cause, never the content. No Fault: three non-empty
    // canonical parts, both JSON parts strict objects, kid and typ strings where present.
    result<Token> read(TokenText text);

  private:
    std::string header_bytes_;
    std::string payload_bytes_;
    std::string signature_bytes_;
    json::Document header_;
    json::Document payload_;
};

}  // namespace signet::jose
