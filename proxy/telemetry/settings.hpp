// What is logged: settings, immutable.
#pragma once

namespace signet::telemetry {

enum class Level : unsigned char { debug, info, warn, error };

struct Settings {
    Level level = Level::info;
};

}  // namespace signet::telemetry
