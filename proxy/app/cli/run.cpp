#include <sys/resource.h>

#include <cstdlib>
#include <iostream>
#include <thread>

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

// What is left is memory. A name look-up that hangs, which Asio waits for, must not hold up the end.
void end_soon(int code) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    static constexpr seconds enough{30};
#else
    static constexpr seconds enough{1};
#endif
    std::thread([code] {
        std::this_thread::sleep_for(enough);
        std::_Exit(code);
    }).detach();
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
    const int code = application.run(true);
    end_soon(code);
    return code;
}

}  // namespace

void add_run(CLI::App& program, int& exit) {
    auto* command = program.add_subcommand("run", "serve until SIGTERM or SIGINT; SIGHUP reloads");
    auto options = std::make_shared<ConfigOptions>();
    add_config_options(*command, *options);
    command->callback([options, &exit] { exit = serve(*options); });
}

}  // namespace signet::app::cli
