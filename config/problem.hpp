// What is wrong with a configuration, and where.
#pragma once

#include <compare>
#include <string>
#include <vector>

namespace signet::config {

struct Mark {
    int line = 0;    // from 1; 0: the file as a whole
    int column = 0;  // from 1
    auto operator<=>(const Mark&) const = default;
};

struct Problem {
    Mark mark;
    std::string message;
    bool warning = false;
};

using Problems = std::vector<Problem>;

// "FILE:LINE:COL: message" or "FILE:LINE:COL: warning: message"
std::string describe(const std::string& file, const Problem& problem);

}  // namespace signet::config
