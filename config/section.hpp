// Reads one mapping of the file. Every key that is asked for is known; what is left at the end is misspelt.
// Errors are collected, so that all of them come at once.
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/problem.hpp"
#include "config/values.hpp"

namespace signet::config {

class Reader {
  public:
    explicit Reader(Environment environment) : environment_(std::move(environment)) {}
    void error(const YAML::Node& at, std::string message) { add(at, std::move(message), false); }
    void warn(const YAML::Node& at, std::string message) { add(at, std::move(message), true); }
    [[nodiscard]] Problems& problems() { return problems_; }
    [[nodiscard]] bool failed() const;

    // A scalar with its variables replaced; nullopt, with an error, for anything else.
    std::optional<std::string> text(const YAML::Node& node, const char* what);
    // Any value as JSON text: plain scalars by their look, quoted ones as strings.
    std::optional<std::string> json(const YAML::Node& node);

    // Where a key stood, for what is found out later (files that cannot be read).
    std::map<std::string, Mark> marks;

  private:
    void add(const YAML::Node& at, std::string message, bool warning);
    Environment environment_;
    Problems problems_;
};

Mark mark_of(const YAML::Node& node);

class Section {
  public:
    Section(Reader& reader, const YAML::Node& node, std::string path);

    // Each leaves `out` alone where the key is absent, and reports what does not fit.
    void text(const char* key, std::string& out);
    void flag(const char* key, bool& out);
    void duration(const char* key, milliseconds& out);
    // One that would end all that it bounds if it were 0.
    void limit(const char* key, milliseconds& out);
    void size(const char* key, std::size_t& out);
    void count(const char* key, std::size_t& out, std::size_t least, std::size_t most);
    void texts(const char* key, std::vector<std::string>& out);
    // The same, where an empty list or entry would shut everybody out.
    void needed_texts(const char* key, std::vector<std::string>& out);
    // One of the words; its index.
    std::optional<std::size_t> choice(const char* key, std::initializer_list<std::string_view> words);

    // The node, or nullopt where the key is absent or null.
    std::optional<YAML::Node> node(const char* key);
    std::optional<Section> section(const char* key);
    // f(node, index) for each entry of a list.
    template <class F>
    void each(const char* key, F&& f) {
        const auto list = node(key);
        if (!list) return;
        if (!list->IsSequence()) return error(key, std::string(key) + " is a list");
        std::size_t i = 0;
        for (const auto& item : *list) {
            if (item.IsNull())
                reader_.error(item, std::string(key) + " has an entry without a value");
            else
                f(item, i);
            ++i;
        }
    }

    void not_in_this_build(const char* key, const std::string& what) {
        error(key, what + " is not in this build");
    }
    void error(const char* key, std::string message);
    void warn(const char* key, std::string message);
    void error_here(std::string message) { reader_.error(node_, std::move(message)); }
    [[nodiscard]] bool has(const char* key) { return node(key).has_value(); }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] Reader& reader() { return reader_; }

    // Call last: what was never asked for is an error, with what may have been meant.
    void finish();

  private:
    Reader& reader_;
    YAML::Node node_;
    std::string path_;
    std::map<std::string, std::pair<YAML::Node, YAML::Node>> entries_;  // key -> key node, value node
    std::vector<std::string> known_;
};

}  // namespace signet::config
