// Claims as request headers for the upstream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "policy/claim_path.hpp"
#include "policy/refusal.hpp"

namespace signet::policy {

enum class Encoding : std::uint8_t { automatic, string, csv, json, base64url };

struct ClaimHeader {
    ClaimPath claim;
    std::string header;
    bool required = false;
    Encoding encoding = Encoding::automatic;
};

// The claim as a field value, or nullopt where it has none that is safe: a control character, outer white
// space, a csv element with a comma or a quote, null, an object under `string`. JSON is written anew,
// minified, ASCII.
// left_out: grows by what could not be written, the whole value or elements of a csv.
std::optional<std::string> header_value(const json::Value& claim, Encoding encoding, std::uint32_t& left_out);

struct HeaderBlock {
    std::string lines;           // "Name: value\r\n" for each
    std::uint32_t left_out = 0;  // claims that were there and could not be written
};

// Lines for all claims of the list that the payload has. A required one that is missing is claim_missing, one
// that cannot be written is claim_invalid.
result<HeaderBlock, Refusal> make_claim_headers(const std::vector<ClaimHeader>& list,
                                                const json::Value& payload);

}  // namespace signet::policy
