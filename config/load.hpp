// Text -> Configuration, and every problem at once. Looks at no file and no network but through
// `environment`: what the files named in it hold is checked by app/, when they are read.
#pragma once

#include <string_view>

#include "config/configuration.hpp"
#include "config/values.hpp"

namespace signet::config {

struct Loaded {
    // With errors among the problems: what could be read, good for finding more of them and for nothing else.
    Configuration configuration;
    Problems errors;  // by place
};

Loaded load(std::string_view yaml, const Environment& environment);

}  // namespace signet::config
