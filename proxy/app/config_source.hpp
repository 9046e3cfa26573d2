// Where the configuration comes from: -c FILE, --config-yaml, $SIGNET_CONFIG_YAML, $SIGNET_CONFIG,
// /etc/signet/signet.yaml.
#pragma once

#include <string>
#include <variant>

#include "app/prepare.hpp"
#include "config/load.hpp"

namespace signet::app {

struct ConfigOptions {
    std::string file;
    std::string yaml;
};

struct ConfigSource {
    std::string name;  // for messages: the file's name as given, or <config-yaml>
    std::string path;  // empty: text was given
    std::string text;  // where path is empty
};

ConfigSource choose_source(const ConfigOptions& options);

struct LoadedConfig {
    config::Configuration configuration;
    Prepared prepared;
};

// Reads, checks, and reads the files that it names.
std::variant<LoadedConfig, config::Problems> load_config(const ConfigSource& source);

config::Environment process_environment();

}  // namespace signet::app
