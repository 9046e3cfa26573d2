#include <iostream>

#include "app/cli/command.hpp"
#include "net/http_client.hpp"

namespace signet::app::cli {
namespace {

int ask_health(const ConfigOptions& options, bool ready) {
    const auto source = choose_source(options);
    const auto loaded = load_config(source);
    if (const auto* problems = std::get_if<config::Problems>(&loaded)) {
        print_problems(source.name, *problems);
        return exit_failed;
    }
    const auto& c = std::get<LoadedConfig>(loaded).configuration;
    auto address = c.health_address ? c.health_address : c.admin_address;
    if (!address) {
        std::cerr << "signet health: neither health nor admin listens in this configuration\n";
        return exit_failed;
    }
    if (address->host == "0.0.0.0") address->host = "127.0.0.1";
    if (address->host == "::") address->host = "::1";
    const auto answer =
        net::ask({address->host, address->port}, {"GET", ready ? "/readyz" : "/healthz", {}, ""});
    if (!answer) {
        std::cerr << "signet health: " << answer.error().message << "\n";
        return exit_failed;
    }
    std::cout << answer->body;
    return answer->status == 200 ? exit_ok : exit_failed;
}

}  // namespace

void add_health(CLI::App& program, int& exit) {
    auto* command =
        program.add_subcommand("health", "ask the instance that the configuration names whether it lives");
    auto options = std::make_shared<ConfigOptions>();
    auto ready = std::make_shared<bool>(false);
    add_config_options(*command, *options);
    command->add_flag("--ready", *ready, "whether it is ready");
    command->callback([options, ready, &exit] { exit = ask_health(*options, *ready); });
}

}  // namespace signet::app::cli
