#include "base/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/json_writer.hpp"

namespace signet::json {

namespace dom = simdjson::dom;

static_assert(sizeof(dom::element) == 16 && std::is_trivially_copyable_v<dom::element>);

struct Access {
    static Value wrap(const dom::element& e) {
        Value v;
        std::memcpy(v.raw_.data(), &e, sizeof e);
        return v;
    }
    static dom::element open(const Value& v) {
        dom::element e;
        std::memcpy(static_cast<void*>(&e), v.raw_.data(), sizeof e);
        return e;
    }
};

struct Document::Impl {
    dom::parser parser;
    std::vector<std::string_view> names;  // scratch for the duplicate check
};

namespace {

constexpr std::size_t max_depth = 32;

// By value: simdjson's results hand out references into themselves. Callers have asked for the type.
dom::array elements(const dom::element& e) {
    dom::array a;
    if (e.get_array().get(a) != simdjson::SUCCESS) return {};
    return a;
}
std::string_view text_of(const dom::element& e) {
    std::string_view s;
    if (e.get_string().get(s) != simdjson::SUCCESS) return {};
    return s;
}
dom::object members(const dom::element& e) {
    dom::object o;
    if (e.get_object().get(o) != simdjson::SUCCESS) return {};
    return o;
}

// The input was valid UTF-8, so an encoded surrogate (ED A0..BF xx) can only stem from a lone \uD8xx or
// \uDCxx.
bool has_lone_surrogate(std::string_view s) {
    for (std::size_t at = s.find('\xED'); at != std::string_view::npos; at = s.find('\xED', at + 1))
        if (at + 1 < s.size() && static_cast<unsigned char>(s[at + 1]) >= 0xA0) return true;
    return false;
}

// Judges what simdjson lets pass. Returns nullptr, or what is wrong.
const char* judge(const dom::element& e, std::vector<std::string_view>& names, std::size_t depth) {
    if (depth > max_depth) return "nested deeper than 32 levels";
    switch (e.type()) {
        case dom::element_type::STRING:
            return has_lone_surrogate(text_of(e)) ? "a lone surrogate in a string" : nullptr;
        case dom::element_type::ARRAY:
            for (const auto child : elements(e))
                if (const char* wrong =
                        judge(child, names, depth + (child.is_array() || child.is_object() ? 1 : 0)))
                    return wrong;
            return nullptr;
        case dom::element_type::OBJECT: {
            const dom::object object = members(e);
            const std::size_t first = names.size();
            for (const auto& field : object) {
                if (has_lone_surrogate(field.key)) return "a lone surrogate in a member name";
                names.push_back(field.key);
            }
            const auto begin = names.begin() + static_cast<std::ptrdiff_t>(first);
            std::sort(begin, names.end());
            const bool twice = std::adjacent_find(begin, names.end()) != names.end();
            names.resize(first);
            if (twice) return "a member name that comes twice";
            for (const auto& field : object)
                if (const char* wrong =
                        judge(field.value, names,
                              depth + (field.value.is_array() || field.value.is_object() ? 1 : 0)))
                    return wrong;
            return nullptr;
        }
        default:
            return nullptr;
    }
}

}  // namespace

Document::Document() : impl_(std::make_unique<Impl>()) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

result<Value> Document::parse(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) return fault("a byte order mark");
    auto& parser = impl_->parser;
    // A little more than what is accepted: judge() counts exactly, and cannot recurse deeper than this.
    if (parser.capacity() < text.size() || parser.max_depth() != max_depth + 2) {
        const auto capacity = std::max<std::size_t>(text.size(), 4096);
        if (parser.allocate(capacity, max_depth + 2) != simdjson::SUCCESS) return fault("out of memory");
    }
    dom::element root;
    if (const auto error = parser.parse(text.data(), text.size()).get(root))
        return fault(simdjson::error_message(error));
    impl_->names.clear();
    if (const char* wrong = judge(root, impl_->names, 1)) return fault(wrong);
    return Access::wrap(root);
}

Type Value::type() const {
    switch (Access::open(*this).type()) {
        case dom::element_type::ARRAY:
            return Type::array;
        case dom::element_type::OBJECT:
            return Type::object;
        case dom::element_type::INT64:
            return Type::integer;
        case dom::element_type::UINT64:
            return Type::unsigned_integer;
        case dom::element_type::DOUBLE:
            return Type::number;
        case dom::element_type::STRING:
            return Type::string;
        case dom::element_type::BOOL:
            return Type::boolean;
        case dom::element_type::NULL_VALUE:
            break;
    }
    return Type::null;
}

bool Value::is_number() const {
    const auto t = type();
    return t == Type::integer || t == Type::unsigned_integer || t == Type::number;
}

std::optional<std::string_view> Value::string() const {
    std::string_view s;
    if (Access::open(*this).get_string().get(s) != simdjson::SUCCESS) return std::nullopt;
    return s;
}

std::optional<bool> Value::boolean() const {
    bool b = false;
    if (Access::open(*this).get_bool().get(b) != simdjson::SUCCESS) return std::nullopt;
    return b;
}

std::optional<std::int64_t> Value::integer() const {
    std::int64_t i = 0;
    if (Access::open(*this).get_int64().get(i) != simdjson::SUCCESS) return std::nullopt;
    return i;
}

std::optional<double> Value::number() const {
    const auto e = Access::open(*this);
    switch (e.type()) {
        case dom::element_type::INT64:
            return static_cast<double>(e.get_int64().value_unsafe());
        case dom::element_type::UINT64:
            return static_cast<double>(e.get_uint64().value_unsafe());
        case dom::element_type::DOUBLE:
            return e.get_double().value_unsafe();
        default:
            return std::nullopt;
    }
}

std::optional<Value> Value::find(std::string_view name) const {
    const auto e = Access::open(*this);
    if (e.type() != dom::element_type::OBJECT) return std::nullopt;
    dom::element found;
    if (members(e).at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
    return Access::wrap(found);
}

std::optional<Value> Value::at(std::size_t index) const {
    const auto e = Access::open(*this);
    if (e.type() != dom::element_type::ARRAY) return std::nullopt;
    dom::element found;
    if (elements(e).at(index).get(found) != simdjson::SUCCESS) return std::nullopt;
    return Access::wrap(found);
}

std::size_t Value::size() const {
    std::size_t n = 0;
    const auto e = Access::open(*this);
    if (e.type() == dom::element_type::ARRAY) {
        for ([[maybe_unused]] const auto child : elements(e)) ++n;
    } else if (e.type() == dom::element_type::OBJECT) {
        for ([[maybe_unused]] const auto& field : members(e)) ++n;
    }
    return n;
}

void Value::visit(void* context, Visit f) const {
    const auto e = Access::open(*this);
    if (e.type() == dom::element_type::ARRAY) {
        for (const auto child : elements(e))
            if (!f(context, {}, Access::wrap(child))) return;
    } else if (e.type() == dom::element_type::OBJECT) {
        for (const auto& field : members(e))
            if (!f(context, field.key, Access::wrap(field.value))) return;
    }
}

namespace {

bool same_number(const Value& a, const Value& b) {
    if (a.type() == Type::number && b.type() == Type::number) return a.number() == b.number();
    if (a.type() == Type::number) return same_number(b, a);
    // a is whole. An int64 and a uint64 of simdjson never hold the same value. A double is compared as a
    // whole number too: 2^53 + 1 as a double would be 2^53.
    const double d = *b.number();
    if (a.type() == Type::integer) {
        if (b.type() != Type::number) return a.integer() == b.integer();
        return d >= -0x1p63 && d < 0x1p63 && d == std::trunc(d) &&
               static_cast<std::int64_t>(d) == a.integer();
    }
    const auto whole = Access::open(a).get_uint64().value_unsafe();
    if (b.type() == Type::unsigned_integer) return whole == Access::open(b).get_uint64().value_unsafe();
    return b.type() == Type::number && d >= 0x1p63 && d < 0x1p64 && static_cast<std::uint64_t>(d) == whole;
}

}  // namespace

bool operator==(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) return same_number(a, b);
    if (a.type() != b.type()) return false;
    switch (a.type()) {
        case Type::null:
            return true;
        case Type::boolean:
            return a.boolean() == b.boolean();
        case Type::string:
            return a.string() == b.string();
        case Type::array: {
            if (a.size() != b.size()) return false;
            bool same = true;
            std::size_t i = 0;
            a.each_element([&](const Value& v) { return same = v == *b.at(i++); });
            return same;
        }
        case Type::object: {
            if (a.size() != b.size()) return false;
            bool same = true;
            a.each_member([&](std::string_view name, const Value& v) {
                const auto other = b.find(name);
                return same = other && v == *other;
            });
            return same;
        }
        default:
            return false;
    }
}

void Value::write(std::string& out, bool ascii) const {
    switch (type()) {
        case Type::null:
            out += "null";
            return;
        case Type::boolean:
            out += *boolean() ? "true" : "false";
            return;
        case Type::string:
            write_string(out, *string(), ascii);
            return;
        case Type::array: {
            out += '[';
            bool first = true;
            each_element([&](const Value& v) {
                if (!std::exchange(first, false)) out += ',';
                v.write(out, ascii);
                return true;
            });
            out += ']';
            return;
        }
        case Type::object: {
            out += '{';
            bool first = true;
            each_member([&](std::string_view name, const Value& v) {
                if (!std::exchange(first, false)) out += ',';
                write_string(out, name, ascii);
                out += ':';
                v.write(out, ascii);
                return true;
            });
            out += '}';
            return;
        }
        case Type::integer:
        case Type::unsigned_integer:
        case Type::number: {
            char text[32];
            const auto e = Access::open(*this);
            char* const last = text + sizeof text;
            std::to_chars_result done{};
            if (type() == Type::integer) {
                done = std::to_chars(text, last, *integer());
            } else if (type() == Type::unsigned_integer) {
                done = std::to_chars(text, last, e.get_uint64().value_unsafe());
            } else {
                // Large ones with an exponent: digits alone would read as an integer that does not fit.
                const double d = *number();
                done = std::abs(d) >= 9e15 ? std::to_chars(text, last, d, std::chars_format::scientific)
                                           : std::to_chars(text, last, d);
            }
            out.append(text, done.ptr);
            return;
        }
    }
}

}  // namespace signet::json
