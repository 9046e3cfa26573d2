// Input in a heap block of exactly its size, so that a sanitizer sees a read one byte beyond either end.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>

namespace signet::test {

class Exact {
  public:
    explicit Exact(std::string_view text) : size_(text.size()), bytes_(new char[text.size()]) {
        std::copy(text.begin(), text.end(), bytes_.get());
    }
    [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

  private:
    std::size_t size_;
    std::unique_ptr<char[]> bytes_;
};

}  // namespace signet::test
