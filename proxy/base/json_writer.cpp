#include "base/json_writer.hpp"

#include <charconv>
#include <cmath>

namespace signet::json {
namespace {

constexpr char digits[] = "0123456789abcdef";

void write_escape(std::string& out, std::uint32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[(unit >> shift) & 15];
}

// Length of the well-formed UTF-8 sequence at the front of s (RFC 3629), 0 if there is none; sets the code
// point.
std::size_t decode(std::string_view s, std::uint32_t& point) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const auto tail = [&](std::size_t i) { return i < s.size() && (byte(i) & 0xC0) == 0x80; };
    const std::uint32_t b = byte(0);
    if (b >= 0xC2 && b <= 0xDF && tail(1)) {
        point = ((b & 0x1F) << 6) | (byte(1) & 0x3Fu);
        return 2;
    }
    if (b >= 0xE0 && b <= 0xEF && tail(1) && tail(2)) {
        point = ((b & 0x0F) << 12) | ((byte(1) & 0x3Fu) << 6) | (byte(2) & 0x3Fu);
        return point >= 0x800 && (point < 0xD800 || point > 0xDFFF) ? 3 : 0;
    }
    if (b >= 0xF0 && b <= 0xF4 && tail(1) && tail(2) && tail(3)) {
        point = ((b & 0x07) << 18) | ((byte(1) & 0x3Fu) << 12) | ((byte(2) & 0x3Fu) << 6) | (byte(3) & 0x3Fu);
        return point >= 0x10000 && point <= 0x10FFFF ? 4 : 0;
    }
    return 0;
}

}  // namespace

void write_string(std::string& out, std::string_view text, bool ascii) {
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const auto b = static_cast<unsigned char>(c);
        if (b >= 0x80) {
            std::uint32_t point = 0;
            const auto length = decode(text.substr(i), point);
            if (length == 0) {
                out += "\\ufffd";
                ++i;
                continue;
            }
            if (!ascii && point >= 0xA0) {  // C1 controls steer terminals
                out.append(text.substr(i, length));
            } else if (point >= 0x10000) {
                write_escape(out, 0xD800 + ((point - 0x10000) >> 10));
                write_escape(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
            } else {
                write_escape(out, point);
            }
            i += length;
            continue;
        }
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (b < 0x20 || b == 0x7F)
                    write_escape(out, b);
                else
                    out += c;
        }
        ++i;
    }
    out += '"';
}

void Writer::separate() {
    if (comma_) out_ += ',';
    comma_ = true;
}

Writer& Writer::open(char c) {
    separate();
    out_ += c;
    comma_ = false;
    return *this;
}

Writer& Writer::close(char c) {
    out_ += c;
    comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    write_string(out_, name, ascii_);
    out_ += ':';
    comma_ = false;
    return *this;
}

Writer& Writer::value(std::string_view text) {
    separate();
    write_string(out_, text, ascii_);
    return *this;
}

Writer& Writer::value(double number) {
    if (!std::isfinite(number)) return null();
    char text[32];
    const auto done = std::to_chars(text, text + sizeof text, number);
    return raw({text, static_cast<std::size_t>(done.ptr - text)});
}

Writer& Writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace signet::json
