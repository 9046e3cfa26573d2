#include "policy/pattern.hpp"

#include <re2/re2.h>

namespace signet::policy {

result<Pattern> Pattern::parse(std::string_view text) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);  // of its automata; past it RE2 goes slower, not wrong
    auto expression = std::make_shared<const RE2>(re2::StringPiece(text.data(), text.size()), options);
    if (!expression->ok()) return fault("not a regular expression of RE2: " + expression->error());
    return Pattern(std::move(expression));
}

bool Pattern::matches(std::string_view text) const {
    return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *expression_);
}

std::string_view Pattern::text() const { return expression_->pattern(); }

}  // namespace signet::policy
