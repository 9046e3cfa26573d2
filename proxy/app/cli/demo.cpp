#include "app/demo.hpp"

#include "app/cli/command.hpp"

namespace signet::app::cli {

void add_demo(CLI::App& program, int& exit) {
    auto* command = program.add_subcommand(
        "demo", "an issuer, an echo upstream and the proxy, on loopback, in one process");
    auto once = std::make_shared<bool>(false);
    command->add_flag("--once", *once, "make the requests, print the answers, end");
    command->callback([once, &exit] { exit = run_demo(*once); });
}

}  // namespace signet::app::cli
