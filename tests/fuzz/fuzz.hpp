// What the targets share: assertions that hold in every build, and inputs in blocks of exactly their size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"

#define FUZZ_ASSERT(condition)                                                                  \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                       \
        }                                                                                       \
    } while (false)

namespace signet::fuzz {

using test::Exact;

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return size == 0 ? std::string_view("") : std::string_view(reinterpret_cast<const char*>(data), size);
}

// Takes the first byte off, 0 where there is none: bits for choices; its digits keep corpus files readable.
inline unsigned take_choice(std::string_view& text) {
    if (text.empty()) return 0;
    const auto c = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    return c;
}

inline bool is_control(char c) {
    const auto b = static_cast<unsigned char>(c);
    return b < 0x20 || b == 0x7F;
}

}  // namespace signet::fuzz
