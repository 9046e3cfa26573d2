#include "http/chunked.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace signet::http {
namespace {

constexpr std::uint32_t max_extension = 256;
constexpr std::uint32_t max_trailers = 8 * 1024;

bool is_control(char c) {
    const auto b = static_cast<unsigned char>(c);
    return (b < 0x20 && c != '\t') || b == 0x7F;
}

}  // namespace

// One byte outside of chunk data. nullptr: good.
const char* ChunkedReader::step_control(char c) {
    switch (state_) {
        case State::size:
            if (const int digit = hex_value(c); digit >= 0) {
                if (++digits_ > 16) return "a chunk size of more than 16 digits";
                remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
                return nullptr;
            }
            if (digits_ == 0) return "a chunk without a size";
            if (remaining_ > (std::uint64_t{1} << 62)) return "a chunk size beyond all bounds";
            line_bytes_ = 0;
            if (c == ';')
                state_ = State::extension;
            else if (c == '\r')
                state_ = State::size_lf;
            else
                return "a foreign character in a chunk size";
            return nullptr;
        case State::extension:
            if (c == '\r')
                state_ = State::size_lf;
            else if (is_control(c))
                return "a control character in a chunk extension";
            else if (++line_bytes_ > max_extension)
                return "a chunk extension that is too long";
            return nullptr;
        case State::size_lf:
            if (c != '\n') return "a CR without LF after a chunk size";
            digits_ = 0;
            state_ = remaining_ == 0 ? State::trailer_start : State::data;
            return nullptr;
        case State::data_cr:
            if (c != '\r') return "chunk data longer than its size";
            state_ = State::data_lf;
            return nullptr;
        case State::data_lf:
            if (c != '\n') return "a CR without LF after chunk data";
            state_ = State::size;
            return nullptr;
        case State::trailer_start:
            if (c == '\r') {
                state_ = State::last_lf;
                return nullptr;
            }
            if (c == ' ' || c == '\t' || c == ':') return "a trailer without a name";
            state_ = State::trailer;
            [[fallthrough]];
        case State::trailer:
            if (c == '\r')
                state_ = State::trailer_lf;
            else if (is_control(c))
                return "a control character in a trailer";
            else if (++trailer_bytes_ > max_trailers)
                return "trailers that are too long";
            return nullptr;
        case State::trailer_lf:
            if (c != '\n') return "a CR without LF in a trailer";
            state_ = State::trailer_start;
            return nullptr;
        case State::last_lf:
            if (c != '\n') return "a CR without LF after the last chunk";
            state_ = State::done;
            return nullptr;
        case State::data:
        case State::done:
            break;
    }
    return nullptr;
}

ChunkedReader::Step ChunkedReader::next(std::string_view input) {
    Step step;
    while (step.consumed < input.size() && state_ != State::done) {
        if (state_ == State::data) {
            const auto size =
                static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - step.consumed));
            step.data = input.substr(step.consumed, size);
            step.consumed += size;
            remaining_ -= size;
            if (remaining_ == 0) state_ = State::data_cr;
            return step;
        }
        step.error = step_control(input[step.consumed]);
        if (step.error != nullptr) return step;
        ++step.consumed;
    }
    step.done = state_ == State::done;
    return step;
}

}  // namespace signet::http
