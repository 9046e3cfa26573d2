#include "app/config_source.hpp"

#include <cstdlib>

#include "jose/digest.hpp"
#include "store/files.hpp"

namespace signet::app {
namespace {

std::string environment_value(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

config::Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
    };
}

ConfigSource choose_source(const ConfigOptions& options) {
    if (!options.file.empty()) return {options.file, options.file, ""};
    if (!options.yaml.empty()) return {"<config-yaml>", "", options.yaml};
    if (auto yaml = environment_value("SIGNET_CONFIG_YAML"); !yaml.empty())
        return {"<SIGNET_CONFIG_YAML>", "", std::move(yaml)};
    auto path = environment_value("SIGNET_CONFIG");
    if (path.empty()) path = "/etc/signet/signet.yaml";
    return {path, path, ""};
}

std::variant<LoadedConfig, config::Problems> load_config(const ConfigSource& source) {
    std::string text = source.text;
    if (!source.path.empty()) {
        auto read = store::read_file(source.path, 4 * 1024 * 1024);
        if (!read) return config::Problems{{{}, read.error().message, false}};
        text = std::move(*read);
    }
    auto loaded = config::load(text, process_environment());
    if (auto* problems = std::get_if<config::Problems>(&loaded)) return std::move(*problems);
    LoadedConfig out{std::get<config::Configuration>(std::move(loaded)), {}};
    out.configuration.sha256 = jose::sha256_hex(text);
    auto prepared = prepare(out.configuration);
    if (auto* problems = std::get_if<config::Problems>(&prepared)) return std::move(*problems);
    out.prepared = std::get<Prepared>(std::move(prepared));
    return out;
}

}  // namespace signet::app
