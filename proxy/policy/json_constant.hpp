// A JSON value from the configuration, owned and immutable, to compare claims with.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace signet::policy {

class JsonConstant {
  public:
    static result<JsonConstant> parse(std::string_view json_text) {
        auto document = std::make_shared<json::Document>();
        auto value = document->parse(json_text);
        if (!value) return value.error();
        return JsonConstant(std::move(document), *value);
    }
    [[nodiscard]] const json::Value& value() const { return value_; }

  private:
    JsonConstant(std::shared_ptr<const json::Document> document, json::Value value)
        : document_(std::move(document)), value_(value) {}
    std::shared_ptr<const json::Document> document_;
    json::Value value_;
};

}  // namespace signet::policy
