#include <iostream>
#include <iterator>

#include "app/cli/command.hpp"
#include "app/cli/offline_keys.hpp"
#include "gate/explain.hpp"

namespace signet::app::cli {
namespace {

struct Options {
    ConfigOptions config;
    gate::ExplainedRequest request;
    bool json = false;
};

int explain(const Options& options) {
    const auto source = choose_source(options.config);
    auto loaded = load_config(source);
    if (const auto* problems = std::get_if<config::Problems>(&loaded)) {
        print_problems(source.name, *problems);
        return exit_config;
    }
    const auto& found = std::get<LoadedConfig>(loaded);
    auto request = options.request;
    request.token = gate::token_from_text(std::string(std::istreambuf_iterator<char>(std::cin), {}));

    telemetry::Log log(telemetry::Level::error);
    OfflineKeys offline(found, log);
    revocation::Index none(random_seed());
    gate::Gate gate(none, 0);
    gate.install(found.configuration.rules, offline.fetch().snapshots());
    const auto out = gate::explain(
        gate, found.configuration.net->forms(), request, {wall_now(), std::chrono::steady_clock::now()},
        "revocations of a running instance; POST /v1/explain on its admin API sees them");
    std::cout << (options.json ? out.to_json() + "\n" : out.to_text());
    switch (out.verdict) {
        case gate::Explanation::Verdict::admitted:
            return exit_ok;
        case gate::Explanation::Verdict::refused:
            return exit_failed;
        case gate::Explanation::Verdict::undecided:
            break;
    }
    return exit_undecided;
}

}  // namespace

void add_explain(CLI::App& program, int& exit) {
    auto* command =
        program.add_subcommand("explain", "say why a token on standard input is admitted or refused");
    auto options = std::make_shared<Options>();
    add_config_options(*command, options->config);
    command->add_option("--method", options->request.method, "the request's method")->capture_default_str();
    command->add_option("--host", options->request.host, "the request's host")->capture_default_str();
    command->add_option("--path", options->request.path, "the request's path")->capture_default_str();
    command->add_flag("--json", options->json, "as JSON");
    command->callback([options, &exit] { exit = explain(*options); });
}

}  // namespace signet::app::cli
