#include "policy/claim_headers.hpp"

#include <algorithm>

#include "jose/base64url.hpp"

namespace signet::policy {
namespace {

// RFC 9110 §5.5: no control characters (DEL and C1 included), no outer white space; bytes above 127 are UTF-8
// here.
bool is_safe(std::string_view value) {
    if (value.empty()) return true;
    if (value.front() == ' ' || value.back() == ' ') return false;
    unsigned char before = 0;
    for (const char c : value) {
        const auto b = static_cast<unsigned char>(c);
        if (b < 0x20 || b == 0x7F || (before == 0xC2 && b >= 0x80 && b < 0xA0)) return false;  // C2 80…: C1
        before = b;
    }
    return true;
}

std::optional<std::string> scalar_text(const json::Value& v) {
    if (const auto s = v.string()) return std::string(*s);
    if (v.is_object() || v.is_array() || v.is(json::Type::null)) return std::nullopt;
    std::string out;
    v.write(out, true);
    return out;
}

// An element that a reader of the list could take for two, or that no field may hold, is left out and
// counted.
std::optional<std::string> csv_text(const json::Value& v, std::uint32_t& left_out) {
    std::string out;
    bool first = true;
    const auto add = [&](const json::Value& element) {
        const auto text = scalar_text(element);
        if (!text || text->find_first_of(",\"") != std::string::npos || !is_safe(*text)) {
            ++left_out;
            return true;
        }
        if (!first) out += ',';
        first = false;
        out += *text;
        return true;
    };
    if (v.is_array())
        v.each_element(add);
    else
        add(v);
    if (first && left_out != 0) return std::nullopt;  // nothing of it is left
    return out;
}

std::string json_text(const json::Value& v) {
    std::string out;
    v.write(out, true);
    return out;
}

}  // namespace

std::optional<std::string> header_value(const json::Value& claim, Encoding encoding,
                                        std::uint32_t& left_out) {
    if (encoding == Encoding::automatic)
        encoding = claim.is_array() || claim.is_object() ? Encoding::json : Encoding::string;
    std::optional<std::string> out;
    switch (encoding) {
        case Encoding::automatic:
        case Encoding::string:
            out = scalar_text(claim);
            break;
        case Encoding::csv:
            out = csv_text(claim, left_out);
            break;
        case Encoding::json:
            out = json_text(claim);
            break;
        case Encoding::base64url: {
            const auto text = claim.string();
            out = jose::encode_base64url(text ? *text : std::string_view(json_text(claim)));
            break;
        }
    }
    if (out && is_safe(*out)) return out;
    if (left_out == 0) ++left_out;
    return std::nullopt;
}

result<HeaderBlock, Refusal> make_claim_headers(const std::vector<ClaimHeader>& list,
                                                const json::Value& payload) {
    HeaderBlock block;
    for (const auto& entry : list) {
        const auto claim = entry.claim.find(payload);
        if (!claim) {
            if (entry.required)
                return Refusal{Reason::claim_missing, "claim " + entry.claim.text() + " is missing"};
            continue;
        }
        std::uint32_t left_out = 0;
        const auto value = header_value(*claim, entry.encoding, left_out);
        block.left_out += left_out;
        if (left_out != 0 && entry.required)
            return Refusal{Reason::claim_invalid,
                           "claim " + entry.claim.text() + " cannot be written as a header"};
        if (!value) continue;
        block.lines.append(entry.header).append(": ").append(*value).append("\r\n");
    }
    return block;
}

}  // namespace signet::policy
