// A regular expression from the configuration. RE2's, which takes no longer than the text is long, whatever
// pattern an operator writes and whatever claim a stranger sends.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace re2 {
class RE2;
}

namespace signet::policy {

class Pattern {
  public:
    // A Fault says what RE2 does not like.
    static result<Pattern> parse(std::string_view text);

    // The whole text, not a part of it.
    [[nodiscard]] bool matches(std::string_view text) const;
    [[nodiscard]] std::string_view text() const;

  private:
    explicit Pattern(std::shared_ptr<const re2::RE2> expression) : expression_(std::move(expression)) {}
    std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace signet::policy
