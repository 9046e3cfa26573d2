// A token as it came: usable as a key and as parser input, but nothing can print it by accident.
#pragma once

#include <string_view>

namespace signet {

class TokenText {
  public:
    constexpr TokenText() = default;
    constexpr explicit TokenText(std::string_view text) : text_(text) {}

    // The bytes; the name is there so that each use can be found and judged. Valid as long as the buffer it
    // came from.
    [[nodiscard]] constexpr std::string_view reveal() const { return text_; }
    [[nodiscard]] constexpr std::size_t size() const { return text_.size(); }
    [[nodiscard]] constexpr bool empty() const { return text_.empty(); }

    friend constexpr bool operator==(TokenText, TokenText) = default;

    template <class Stream>
    friend Stream& operator<<(Stream& out, TokenText) = delete;  // a token is never written anywhere

  private:
    std::string_view text_;
};

}  // namespace signet
