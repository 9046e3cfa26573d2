#include "http/target.hpp"

#include <array>

#include "base/text.hpp"

namespace signet::http {
namespace {

BadRequest bad(const char* detail) { return {400, detail}; }

// Characters that need no second look in a path.
constexpr auto plain = [] {
    std::array<bool, 256> t{};
    for (int c = 0x21; c < 0x7F; ++c) t[static_cast<std::size_t>(c)] = true;
    for (const char c : {'%', '/', ';', '\\', '#', '.'}) t[static_cast<unsigned char>(c)] = false;
    return t;
}();

bool is_unreserved(char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

// No escapes, no empty or dot segments, no parameters: what nearly all requests have.
bool is_already_normal(std::string_view path) {
    for (std::size_t i = 0; i < path.size(); ++i) {
        const char c = path[i];
        if (plain[static_cast<unsigned char>(c)]) continue;
        if (c == '.' && path[i - 1] != '/') continue;  // path[0] is '/'
        if (c == '/' && (i + 1 == path.size() || path[i + 1] != '/')) continue;
        return false;
    }
    return true;
}

// Decodes unreserved characters once; other escapes stay, in upper case.
std::optional<BadRequest> decode_once(std::string_view path, EncodedSlashes slashes, std::string& out) {
    static constexpr char digits[] = "0123456789ABCDEF";
    for (std::size_t i = 0; i < path.size(); ++i) {
        const auto b = static_cast<unsigned char>(path[i]);
        if (b <= 0x20 || b == 0x7F) return bad("a control character in the path");
        if (b > 0x7F) return bad("a byte above 127 in the path; it has to be percent-encoded");
        if (b == '\\') return bad("a backslash in the path");
        if (b == '#') return bad("a # in the target");
        if (b != '%') {
            out += path[i];
            continue;
        }
        const int high = i + 1 < path.size() ? hex_value(path[i + 1]) : -1;
        const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
        if (high < 0 || low < 0) return bad("a % without two hex digits in the path");
        const int value = high * 16 + low;
        const char decoded = static_cast<char>(value);
        if (value < 0x20 || value == 0x7F) return bad("an encoded control character in the path");
        if (decoded == '\\') return bad("an encoded backslash in the path");
        if (decoded == '/' && slashes == EncodedSlashes::reject) return bad("an encoded slash in the path");
        if (value < 0x80 && is_unreserved(decoded)) {
            out += decoded;
        } else {
            out += '%';
            out += digits[high];
            out += digits[low];
        }
        i += 2;
    }
    return std::nullopt;
}

// After the decoding: does a dot, slash, backslash or control come out if it is decoded again, however often?
bool hides_an_escape(std::string_view path) {
    if (path.find("%25") == std::string_view::npos) return false;
    constexpr int most = 8;  // nobody encodes as often as that in earnest
    std::string text(path), next;
    for (int pass = 0; pass < most; ++pass) {
        bool again = false;
        next.clear();
        for (std::size_t i = 0; i < text.size(); ++i) {
            const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
            if (low < 0) {
                next += text[i];
                continue;
            }
            const int value = high * 16 + low;
            // Escapes that stand open in the path were judged before this.
            if (pass != 0 && (value < 0x20 || value == 0x7F || value == '.' || value == '/' || value == '\\'))
                return true;
            again = true;
            next += pass == 0 && value != '%' ? 'x' : static_cast<char>(value);
            i += 2;
        }
        if (!again) return false;
        text.swap(next);
    }
    return true;
}

bool is_dots(std::string_view s) { return s == "." || s == ".."; }

// A dot segment that is one only for a reader who cuts parameters off or decodes %3B or %2F.
bool is_disguised_dots(std::string_view segment) {
    if (is_dots(segment)) return false;  // an open one; it is removed
    while (true) {
        const auto slash = segment.find("%2F");
        const auto piece = segment.substr(0, slash);
        if (is_dots(piece.substr(0, std::min(piece.find(';'), piece.find("%3B"))))) return true;
        if (slash == std::string_view::npos) return false;
        segment.remove_prefix(slash + 3);
    }
}

// Merges slashes and removes dot segments (RFC 3986 §5.2.4), in place of `path` into `out`.
std::optional<BadRequest> remove_dots(std::string_view path, std::string& out) {
    for (std::size_t i = 0; i < path.size();) {
        while (i < path.size() && path[i] == '/') ++i;
        const auto end = std::min(path.find('/', i), path.size());
        const auto segment = path.substr(i, end - i);
        const bool last = end == path.size();
        i = end;
        if (is_disguised_dots(segment)) return bad("a dot segment in disguise in the path");
        if (segment == "..") {
            const auto parent = out.rfind('/');
            if (parent == std::string::npos) return bad("the path climbs above the root");
            out.resize(parent);
            if (last) out += '/';
        } else if (segment == ".") {
            if (last) out += '/';
        } else if (!segment.empty() || last) {
            out += '/';
            out += segment;
        }
    }
    return std::nullopt;
}

void drop_parameters(std::string_view path, std::string& out) {
    for (std::size_t i = 0; i < path.size();) {
        const auto end = std::min(path.find('/', i + 1), path.size());
        const auto segment = path.substr(i, end - i);
        const auto kept = segment.substr(0, segment.find(';'));
        // "/;x/admin" is "//admin" to who cuts parameters, so "/admin": merged here too.
        if (kept != "/" || end == path.size()) out += kept;
        i = end;
    }
}

}  // namespace

std::optional<BadRequest> normalise_target(std::string_view target, EncodedSlashes slashes, Target& out) {
    out.path_buffer.clear();
    out.match_buffer.clear();
    const auto question = target.find('?');
    out.query = question == std::string_view::npos ? std::string_view{} : target.substr(question);
    if (out.query.find('#') != std::string_view::npos) return bad("a # in the target");
    auto raw = target.substr(0, question);
    if (raw.empty()) raw = "/";  // absolute-form without a path (RFC 9112 §3.2.1)
    if (raw == "*" || is_already_normal(raw)) {
        out.path = out.match_path = raw;
        return std::nullopt;
    }
    std::string decoded;
    if (auto wrong = decode_once(raw, slashes, decoded)) return wrong;
    if (hides_an_escape(decoded)) return bad("a doubly encoded dot, slash or control character in the path");
    if (auto wrong = remove_dots(decoded, out.path_buffer)) return wrong;
    out.path = out.match_path = out.path_buffer;
    if (out.path.find(';') != std::string_view::npos) {
        drop_parameters(out.path, out.match_buffer);
        out.match_path = out.match_buffer;
    }
    return std::nullopt;
}

}  // namespace signet::http
