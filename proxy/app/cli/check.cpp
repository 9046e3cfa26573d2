#include <iostream>

#include "app/cli/command.hpp"
#include "app/cli/offline_keys.hpp"

namespace signet::app::cli {
namespace {

std::string refreshed(const admin::IssuerStatus& issuer) {
    if (!issuer.next_refresh) return "";
    const auto left = std::chrono::round<seconds>(*issuer.next_refresh - wall_now());
    return ", to be fetched again in " + std::to_string(left.count()) + " s";
}

bool print_keys(const LoadedConfig& loaded) {
    telemetry::Log log(telemetry::Level::error);
    OfflineKeys offline(loaded, log);
    bool all = true;
    for (const auto& issuer : offline.fetch().status()) {
        std::cout << issuer.name << " (" << issuer.issuer << ")\n";
        if (!issuer.has_keys) {
            std::cout << "  no keys: " << (issuer.last_error.empty() ? "no answer" : issuer.last_error)
                      << "\n";
            all = false;
            continue;
        }
        if (!issuer.jwks_uri.empty()) std::cout << "  from " << issuer.jwks_uri << refreshed(issuer) << "\n";
        if (!issuer.last_error.empty()) std::cout << "  warning: " << issuer.last_error << "\n";
        for (const auto& key : issuer.keys)
            std::cout << "  key " << key.kid.value_or("(no kid)") << ": " << key.kty << ", " << key.alg
                      << "\n";
        for (const auto& skipped : issuer.skipped)
            std::cout << "  skipped " << (skipped.kid.empty() ? "(no kid)" : skipped.kid) << ": "
                      << skipped.why << "\n";
    }
    return all;
}

int check(const ConfigOptions& options, bool online, bool strict) {
    const auto source = choose_source(options);
    auto loaded = load_config(source);
    if (const auto* problems = std::get_if<config::Problems>(&loaded)) {
        print_problems(source.name, *problems);
        return exit_config;
    }
    const auto& found = std::get<LoadedConfig>(loaded);
    print_problems(source.name, found.configuration.warnings);
    if (strict && !found.configuration.warnings.empty()) return exit_config;
    if (online && !print_keys(found)) return exit_config;
    std::cout << source.name << ": good\n";
    return exit_ok;
}

}  // namespace

void add_check(CLI::App& program, int& exit) {
    struct Options {
        ConfigOptions config;
        bool online = false;
        bool strict = false;
    };
    auto* command = program.add_subcommand(
        "check", "validate the configuration and say everything that is wrong with it");
    auto options = std::make_shared<Options>();
    add_config_options(*command, options->config);
    command->add_flag("--online", options->online, "fetch each issuer's keys too, and show them");
    command->add_flag("--strict", options->strict, "warnings count as errors");
    command->callback([options, &exit] { exit = check(options->config, options->online, options->strict); });
}

}  // namespace signet::app::cli
