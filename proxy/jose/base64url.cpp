#include "jose/base64url.hpp"

#include <array>
#include <cstdint>

namespace signet::jose {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t foreign = 0xFF;

constexpr auto values = [] {
    std::array<std::uint8_t, 256> t{};
    t.fill(foreign);
    for (std::uint8_t i = 0; i < 64; ++i) t[static_cast<unsigned char>(alphabet[i])] = i;
    return t;
}();

constexpr std::uint32_t value_of(char c) { return values[static_cast<unsigned char>(c)]; }

}  // namespace

std::optional<std::size_t> decode_base64url(std::string_view text, char* out) {
    const char* in = text.data();
    const char* const whole = in + text.size() / 4 * 4;
    char* to = out;
    std::uint32_t seen = 0;  // foreign has bits above 63; checked once at the end
    for (; in != whole; in += 4) {
        const std::uint32_t a = value_of(in[0]), b = value_of(in[1]), c = value_of(in[2]),
                            d = value_of(in[3]);
        seen |= a | b | c | d;
        const std::uint32_t triple = (a << 18) | (b << 12) | (c << 6) | d;
        *to++ = static_cast<char>(triple >> 16);
        *to++ = static_cast<char>(triple >> 8);
        *to++ = static_cast<char>(triple);
    }
    switch (text.size() % 4) {
        case 0:
            break;
        case 2: {
            const std::uint32_t a = value_of(in[0]), b = value_of(in[1]);
            seen |= a | b;
            if ((b & 0x0F) != 0) return std::nullopt;  // RFC 4648 §3.5
            *to++ = static_cast<char>((a << 2) | (b >> 4));
            break;
        }
        case 3: {
            const std::uint32_t a = value_of(in[0]), b = value_of(in[1]), c = value_of(in[2]);
            seen |= a | b | c;
            if ((c & 0x03) != 0) return std::nullopt;
            *to++ = static_cast<char>((a << 2) | (b >> 4));
            *to++ = static_cast<char>((b << 4) | (c >> 2));
            break;
        }
        default:
            return std::nullopt;
    }
    if (seen > 63) return std::nullopt;
    return static_cast<std::size_t>(to - out);
}

std::optional<std::string> decode_base64url(std::string_view text) {
    std::string out(decoded_size(text.size()), '\0');
    const auto size = decode_base64url(text, out.data());
    if (!size) return std::nullopt;
    out.resize(*size);
    return out;
}

void encode_base64url(std::string_view bytes, std::string& out) {
    const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t triple = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
        for (int shift = 18; shift >= 0; shift -= 6) out += alphabet[(triple >> shift) & 63];
    }
    if (bytes.size() - i == 1) {
        out += alphabet[byte(i) >> 2];
        out += alphabet[(byte(i) << 4) & 63];
    } else if (bytes.size() - i == 2) {
        const std::uint32_t pair = (byte(i) << 8) | byte(i + 1);
        out += alphabet[(pair >> 10) & 63];
        out += alphabet[(pair >> 4) & 63];
        out += alphabet[(pair << 2) & 63];
    }
}

std::string encode_base64url(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() / 3 * 4 + 4);
    encode_base64url(bytes, out);
    return out;
}

}  // namespace signet::jose
