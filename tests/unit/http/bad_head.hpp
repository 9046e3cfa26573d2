// Request heads that must be refused, as data.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "unit/http/parsed.hpp"

namespace signet::test {

struct Bad {
    const char* what;
    std::string head;  // without the final empty line
    int status = 400;
};

inline void check_refused(const std::vector<Bad>& rows) {
    for (const auto& row : rows) {
        const Parsed parsed(row.head + "\r\n\r\n");
        CAPTURE(row.what, row.head);
        REQUIRE(parsed.wrong);
        CHECK(parsed.wrong->status == row.status);
        CHECK_FALSE(std::string_view(parsed.wrong->detail).empty());
    }
}

// A good request with one more line.
inline std::string with(std::string_view line) {
    return "POST /x HTTP/1.1\r\nHost: a\r\n" + std::string(line);
}

}  // namespace signet::test
