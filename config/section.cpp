#include "config/section.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace signet::config {

std::string describe(const std::string& file, const Problem& p) {
    std::string out = file;
    if (p.mark.line != 0) out += ":" + std::to_string(p.mark.line) + ":" + std::to_string(p.mark.column);
    return out + (p.warning ? ": warning: " : ": ") + p.message;
}

Mark mark_of(const YAML::Node& node) {
    const auto m = node.Mark();
    return m.is_null() ? Mark{} : Mark{m.line + 1, m.column + 1};
}

bool Reader::failed() const {
    return std::ranges::any_of(problems_, [](const Problem& p) { return !p.warning; });
}

void Reader::add(const YAML::Node& at, std::string message, bool warning) {
    problems_.push_back({mark_of(at), std::move(message), warning});
}

std::optional<std::string> Reader::text(const YAML::Node& node, const char* what) {
    if (!node.IsScalar()) {
        error(node, std::string(what) + " is a single value");
        return std::nullopt;
    }
    auto value = substitute(node.Scalar(), environment_);
    if (value) return std::move(*value);
    error(node, value.error().message);
    return std::nullopt;
}

std::optional<std::string> Reader::json(const YAML::Node& node) {
    std::string out;
    if (node.IsNull()) return "null";
    if (node.IsScalar()) {
        auto value = text(node, "a value");
        if (!value) return std::nullopt;
        if (node.Tag() != "!") {  // plain, so true, 12 and null are what they look like
            json::Document document;
            const auto parsed = document.parse(*value);
            if (parsed && !parsed->is_string() && !parsed->is_array() && !parsed->is_object()) return value;
        }
        json::write_string(out, *value);
        return out;
    }
    const bool map = node.IsMap();
    out += map ? '{' : '[';
    bool first = true;
    for (const auto& item : node) {
        if (!first) out += ',';
        first = false;
        if (map) {
            const auto name = text(item.first, "a name");
            if (!name) return std::nullopt;
            json::write_string(out, *name);
            out += ':';
        }
        const auto value = json(map ? item.second : item);
        if (!value) return std::nullopt;
        out += *value;
    }
    return out + (map ? '}' : ']');
}

Section::Section(Reader& reader, const YAML::Node& node, std::string path)
    : reader_(reader), node_(node), path_(std::move(path)) {
    if (node_.IsNull()) return;
    if (!node_.IsMap()) {
        reader_.error(node_,
                      (path_.empty() ? std::string("the file") : path_) + " is a mapping of keys to values");
        return;
    }
    for (const auto& item : node_) {
        if (!item.first.IsScalar()) {
            reader_.error(item.first, "a key is a single word");
            continue;
        }
        const auto& key = item.first.Scalar();
        if (!entries_.emplace(key, std::pair(item.first, item.second)).second)
            reader_.error(item.first, "key '" + key + "' comes twice");
        if (item.second.IsNull())
            reader_.error(item.first, "key '" + key + "' has no value; give it one, or leave it out");
        reader_.marks[path_.empty() ? key : path_ + "." + key] = mark_of(item.second);
    }
}

std::optional<YAML::Node> Section::node(const char* key) {
    if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
    const auto it = entries_.find(key);
    if (it == entries_.end() || it->second.second.IsNull()) return std::nullopt;
    return it->second.second;
}

void Section::error(const char* key, std::string message) {
    if (message.find(key) == std::string::npos) message.insert(0, std::string(key) + ": ");
    const auto it = entries_.find(key);
    reader_.error(it == entries_.end() ? node_ : it->second.second, std::move(message));
}

void Section::warn(const char* key, std::string message) {
    const auto it = entries_.find(key);
    reader_.warn(it == entries_.end() ? node_ : it->second.second, std::move(message));
}

void Section::text(const char* key, std::string& out) {
    const auto n = node(key);
    auto value = n ? reader_.text(*n, key) : std::nullopt;
    if (!value) return;
    // An empty value where one is needed would pass for an absent key, and open what it was to close.
    static constexpr std::string_view may_be_empty[] = {
        "name", "state_dir", "ca_file", "bearer_token_file", "value_prefix", "forward_payload_header",
        "host"};
    if (value->empty() && std::ranges::find(may_be_empty, std::string_view(key)) == std::end(may_be_empty))
        return error(key, std::string(key) + " is empty; give it a value, or leave it out");
    // An empty name asks for the default one.
    if (value->empty() && std::string_view(key) == "name") return;
    out = std::move(*value);
}

void Section::flag(const char* key, bool& out) {
    std::string value;
    text(key, value);
    if (value == "true")
        out = true;
    else if (value == "false")
        out = false;
    else if (!value.empty())
        error(key, std::string(key) + " is true or false, not '" + value + "'");
}

void Section::duration(const char* key, milliseconds& out) {
    std::string value;
    text(key, value);
    if (value.empty()) return;
    if (const auto parsed = parse_duration(value))
        out = *parsed;
    else
        error(key, parsed.error().message);
}

void Section::limit(const char* key, milliseconds& out) {
    duration(key, out);
    if (out.count() == 0) error(key, std::string(key) + " is 0: everything would be cut");
}

void Section::size(const char* key, std::size_t& out) {
    std::string value;
    text(key, value);
    if (value.empty()) return;
    if (const auto parsed = parse_size(value))
        out = *parsed;
    else
        error(key, parsed.error().message);
}

void Section::count(const char* key, std::size_t& out, std::size_t least, std::size_t most) {
    std::string value;
    text(key, value);
    if (value.empty()) return;
    const auto number = parse_decimal(value);
    if (!number || *number < least || *number > most)
        return error(key, std::string(key) + " is a whole number from " + std::to_string(least) + " to " +
                              std::to_string(most));
    out = static_cast<std::size_t>(*number);
}

void Section::texts(const char* key, std::vector<std::string>& out) {
    const auto list = node(key);
    if (!list) return;
    out.clear();
    each(key, [&](const YAML::Node& item, std::size_t) {
        if (auto value = reader_.text(item, "each entry")) out.push_back(std::move(*value));
    });
}

void Section::needed_texts(const char* key, std::vector<std::string>& out) {
    if (!has(key)) return;
    texts(key, out);
    if (out.empty()) error(key, std::string(key) + " is an empty list; give it entries, or leave it out");
    for (const auto& entry : out)
        if (entry.empty()) return error(key, std::string(key) + " has an empty entry");
}

std::optional<std::size_t> Section::choice(const char* key, std::initializer_list<std::string_view> words) {
    std::string value;
    text(key, value);
    if (value.empty()) return std::nullopt;
    std::string all;
    std::size_t i = 0;
    for (const auto word : words) {
        if (word == value) return i;
        all += (all.empty() ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(word);
        ++i;
    }
    error(key, std::string(key) + " is " + all + ", not '" + value + "'");
    return std::nullopt;
}

std::optional<Section> Section::section(const char* key) {
    const auto n = node(key);
    if (!n) return std::nullopt;
    return Section(reader_, *n, path_.empty() ? std::string(key) : path_ + "." + key);
}

void Section::finish() {
    std::vector<std::string_view> names(known_.begin(), known_.end());
    for (const auto& [key, nodes] : entries_) {
        if (std::ranges::find(known_, key) != known_.end()) continue;
        std::string message = "unknown key '" + key + "'";
        if (!path_.empty()) message += " in " + path_;
        if (const auto meant = closest(key, names.data(), names.data() + names.size()))
            message += "; did you mean '" + std::string(*meant) + "'?";
        reader_.error(nodes.first, message);
    }
}

}  // namespace signet::config
