// A JSON value from text, with the document that keeps it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string_view>

#include "base/json.hpp"
#include "unit/support/printing.hpp"

namespace signet::test {

class Json {
  public:
    explicit Json(std::string_view text) : document_(std::make_unique<json::Document>()) {
        auto parsed = document_->parse(text);
        INFO("test data: " << text);
        REQUIRE(parsed);
        value_ = *parsed;
    }
    const json::Value& operator*() const { return value_; }
    const json::Value* operator->() const { return &value_; }

  private:
    std::unique_ptr<json::Document> document_;
    json::Value value_;
};

}  // namespace signet::test
