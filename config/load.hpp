// Text -> Configuration, or every problem at once. Looks at no file and no network but through `environment`:
// what the files named in it hold is checked by app/, when they are read.
#pragma once

#include <string_view>
#include <variant>

#include "config/configuration.hpp"
#include "config/values.hpp"

namespace signet::config {

std::variant<Configuration, Problems> load(std::string_view yaml, const Environment& environment);

}  // namespace signet::config
