// Strict JSON for input that nobody vouches for: UTF-8 without a BOM, no duplicate member at any depth, no
// lone surrogate, no number outside int64, uint64 and double, depth at most 32 (RFC 8259, RFC 7493 I-JSON;
// RFC 7515 §4 on duplicates). simdjson reads the bytes; what it leaves open is judged here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace signet::json {

enum class Type : std::uint8_t { null, boolean, integer, unsigned_integer, number, string, array, object };

// A value inside a Document; a view, valid until the document parses again or ends. Cheap to copy.
class Value {
  public:
    [[nodiscard]] Type type() const;
    [[nodiscard]] bool is(Type t) const { return type() == t; }
    [[nodiscard]] bool is_string() const { return type() == Type::string; }
    [[nodiscard]] bool is_object() const { return type() == Type::object; }
    [[nodiscard]] bool is_array() const { return type() == Type::array; }
    [[nodiscard]] bool is_number() const;

    [[nodiscard]] std::optional<std::string_view> string() const;
    [[nodiscard]] std::optional<bool> boolean() const;
    [[nodiscard]] std::optional<std::int64_t> integer() const;  // whole numbers that fit only
    [[nodiscard]] std::optional<double> number() const;         // any number, rounded to a double

    // Member of an object, or nullopt.
    [[nodiscard]] std::optional<Value> find(std::string_view name) const;
    // Element of an array, or nullopt.
    [[nodiscard]] std::optional<Value> at(std::size_t index) const;
    [[nodiscard]] std::size_t size() const;  // of an array or object, else 0

    // f(Value) -> bool, f(string_view, Value) -> bool; false stops.
    template <class F>
    void each_element(F&& f) const;
    template <class F>
    void each_member(F&& f) const;

    // Same type and same value; 1 and 1.0 are both numbers and equal, "1" is not.
    friend bool operator==(const Value& a, const Value& b);

    // Appends the value, minified; ascii: everything above 127 as \u escapes.
    void write(std::string& out, bool ascii) const;

  private:
    friend class Document;
    friend struct Access;
    using Visit = bool (*)(void* context, std::string_view name, Value value);
    void visit(void* context, Visit f) const;
    template <class F>
    static void* erased(F& f) {  // visit gives it back as what it was, const included
        return const_cast<void*>(static_cast<const void*>(std::addressof(f)));
    }

    alignas(8) std::array<std::byte, 16> raw_{};  // a simdjson::dom::element; its header stays out of ours
};

// Holds parse buffers; parse again and again with one document, no allocation once warm. Not shared between
// threads.
class Document {
  public:
    Document();
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

    // The root value, or what is wrong with the text.
    result<Value> parse(std::string_view text);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

template <class F>
void Value::each_element(F&& f) const {
    if (is_array())
        visit(erased(f), [](void* context, std::string_view, Value v) {
            return (*static_cast<std::remove_reference_t<F>*>(context))(v);
        });
}

template <class F>
void Value::each_member(F&& f) const {
    if (is_object())
        visit(erased(f), [](void* context, std::string_view name, Value v) {
            return (*static_cast<std::remove_reference_t<F>*>(context))(name, v);
        });
}

}  // namespace signet::json
