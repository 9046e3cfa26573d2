#include <sys/resource.h>

#include <iostream>

#include "app/application.hpp"
#include "app/cli/command.hpp"

namespace signet::app::cli {
namespace {

// A connection takes up to two descriptors; the soft limit is often 1024.
void raise_descriptor_limit() {
    ::rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const ConfigOptions& options) {
    const auto source = choose_source(options);
    auto loaded = load_config(source);
    if (const auto* problems = std::get_if<config::Problems>(&loaded)) {
        print_problems(source.name, *problems);
        return exit_config;
    }
    raise_descriptor_limit();
    telemetry::Log log(telemetry::Level::info);
    Application application(source, std::get<LoadedConfig>(std::move(loaded)), log);
    const auto started = application.start();
    if (!started) {
        log.error("could not start", {{"error", started.error().message}});
        std::cerr << "signet: " << started.error().message << "\n";
        return exit_failed;
    }
    return application.run(true);
}

}  // namespace

void add_run(CLI::App& program, int& exit) {
    auto* command = program.add_subcommand("run", "serve until SIGTERM or SIGINT; SIGHUP reloads");
    auto options = std::make_shared<ConfigOptions>();
    add_config_options(*command, *options);
    command->callback([options, &exit] { exit = serve(*options); });
}

}  // namespace signet::app::cli
