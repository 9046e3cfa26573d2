#include <csignal>

#include "app/cli/command.hpp"

int main(int argc, char** argv) {
    using namespace signet::app::cli;
    std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error code, not a signal
    std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow
    CLI::App program{"Signet: a reverse proxy that verifies every request's JSON Web Token", "signet"};
    program.require_subcommand(1);
    int exit = exit_ok;
    add_run(program, exit);
    add_check(program, exit);
    add_explain(program, exit);
    add_revoke(program, exit);
    add_revocations(program, exit);
    add_health(program, exit);
    add_keygen(program, exit);
    add_mint(program, exit);
    add_demo(program, exit);
    add_version(program, exit);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return program.exit(e) == 0 ? exit_ok : exit_usage;
    }
    return exit;
}
