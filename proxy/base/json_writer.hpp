// Writes JSON text, minified, into a string that the caller keeps.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signet::json {

// Appends a quoted string. Bytes that are not UTF-8 become U+FFFD; ascii: everything above 127 as \u escapes.
void write_string(std::string& out, std::string_view text, bool ascii = false);

// Builds one object or array. Commas are put by the writer:
//   Writer w(out); w.object(); w.member("a", 1); w.key("b"); w.array(); … w.end_array(); w.end_object();
class Writer {
  public:
    explicit Writer(std::string& out, bool ascii = false) : out_(out), ascii_(ascii) {}

    Writer& object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& array() { return open('['); }
    Writer& end_array() { return close(']'); }
    Writer& key(std::string_view name);
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(bool b) { return raw(b ? "true" : "false"); }
    Writer& value(double number);
    template <std::integral T>
    Writer& value(T number) {
        return raw(std::to_string(number));
    }
    Writer& null() { return raw("null"); }
    Writer& raw(std::string_view json);  // already JSON
    template <class T>
    Writer& value(const std::optional<T>& v) {
        return v ? value(*v) : null();
    }
    template <class T>
    Writer& member(std::string_view name, const T& v) {
        key(name);
        return value(v);
    }

  private:
    Writer& open(char c);
    Writer& close(char c);
    void separate();

    std::string& out_;
    bool ascii_;
    bool comma_ = false;
};

}  // namespace signet::json
