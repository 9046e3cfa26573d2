#include "policy/claim_path.hpp"

#include "base/text.hpp"

namespace signet::policy {
namespace {

// RFC 6901 §4: ~1 is '/', ~0 is '~'.
std::optional<std::string> unescape(std::string_view step) {
    std::string out;
    for (std::size_t i = 0; i < step.size(); ++i) {
        if (step[i] != '~') {
            out += step[i];
            continue;
        }
        if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return std::nullopt;
        out += step[i] == '0' ? '~' : '/';
    }
    return out;
}

std::optional<json::Value> step_into(const json::Value& value, const std::string& step) {
    if (value.is_object()) return value.find(step);
    if (value.is_array()) {
        const auto index = parse_decimal(step);
        const bool canonical = index && (step.size() == 1 || step.front() != '0');
        return canonical ? value.at(*index) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

result<ClaimPath> ClaimPath::parse(std::string_view text) {
    if (text.empty()) return fault("a claim needs a name");
    ClaimPath path;
    path.text_ = text;
    path.pointer_ = text.front() == '/';
    const char separator = path.pointer_ ? '/' : '.';
    std::string_view rest = path.pointer_ ? text.substr(1) : text;
    while (true) {
        const auto end = rest.find(separator);
        const auto step = rest.substr(0, end);
        if (path.pointer_) {
            auto plain = unescape(step);
            if (!plain) return fault("a '~' in a JSON Pointer is followed by 0 or 1");
            path.steps_.push_back(std::move(*plain));
        } else {
            path.steps_.emplace_back(step);
        }
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return path;
}

std::vector<ClaimPath> claim_paths(std::initializer_list<std::string_view> names) {
    std::vector<ClaimPath> out;
    for (const auto name : names) out.push_back(*ClaimPath::parse(name));
    return out;
}

std::optional<json::Value> ClaimPath::find(const json::Value& payload) const {
    if (!pointer_) {
        if (auto literal = payload.find(text_)) return literal;
        if (steps_.size() == 1) return std::nullopt;
    }
    std::optional<json::Value> value = payload;
    for (const auto& step : steps_) {
        value = step_into(*value, step);
        if (!value) return std::nullopt;
    }
    return value;
}

}  // namespace signet::policy
