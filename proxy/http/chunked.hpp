// The chunked coding (RFC 9112 §7.1), read strictly and without holding data: sizes are 1..16 hex digits,
// lines end in CRLF, extensions are bounded and carry no control character, trailers are bounded, checked and
// dropped.
#pragma once

#include <cstdint>
#include <string_view>

namespace signet::http {

class ChunkedReader {
  public:
    struct Step {
        std::string_view data;     // a piece of the body, may be empty
        std::size_t consumed = 0;  // bytes of the input that are done with, data included
        bool done = false;         // the last chunk and its trailers are over
        const char* error = nullptr;
    };
    // Takes as much of `input` as belongs to one piece of data. Call again with the rest until consumed is 0.
    Step next(std::string_view input);

    [[nodiscard]] bool done() const { return state_ == State::done; }

  private:
    enum class State : std::uint8_t {
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer,
        trailer_lf,
        last_lf,
        done
    };
    const char* step_control(char c);

    State state_ = State::size;
    std::uint64_t remaining_ = 0;
    std::uint32_t digits_ = 0;
    std::uint32_t line_bytes_ = 0;     // of the extension in this line
    std::uint32_t trailer_bytes_ = 0;  // of all trailers
};

}  // namespace signet::http
