// Names one claim in a payload: its literal top-level name first, then a dotted path; a JSON Pointer (RFC
// 6901) after '/'.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace signet::policy {

class ClaimPath {
  public:
    static result<ClaimPath> parse(std::string_view text);

    [[nodiscard]] std::optional<json::Value> find(const json::Value& payload) const;
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
    std::vector<std::string> steps_;
    bool pointer_ = false;
};

// For names that stand in the code.
std::vector<ClaimPath> claim_paths(std::initializer_list<std::string_view> names);

}  // namespace signet::policy
