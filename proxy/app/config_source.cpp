#include "app/config_source.hpp"

#include <algorithm>
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
    auto [configuration, problems] = config::load(text, process_environment());
    configuration.sha256 = jose::sha256_hex(text);
    LoadedConfig out{std::move(configuration), {}};
    // The files are read even so: who mends the one wants to know of the other.
    out.prepared = prepare(out.configuration, problems);
    auto proxies = net::ProxyRules::from(process_environment());
    if (proxies)
        out.prepared.key_proxies = std::move(*proxies);
    else if (std::ranges::any_of(out.configuration.keys,
                                 [](const auto& k) { return keys::is_remote(k.kind); }))
        problems.push_back({{}, proxies.error().message, false});
    out.configuration.rules->decryption = std::move(out.prepared.decryption.keys);
    if (problems.empty()) return out;
    const auto& warnings = out.configuration.warnings;
    problems.insert(problems.end(), warnings.begin(), warnings.end());
    std::ranges::stable_sort(problems, {}, [](const config::Problem& p) { return p.mark; });
    return std::move(problems);
}

}  // namespace signet::app
