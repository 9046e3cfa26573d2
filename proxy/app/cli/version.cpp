#include "app/version.hpp"

#include <iostream>

#include "app/cli/command.hpp"
#include "jose/algorithm.hpp"
#include "jose/digest.hpp"
#include "store/sqlite_revocations.hpp"

namespace signet::app {

std::string version_text() {
    std::string out = "signet " SIGNET_VERSION " (" SIGNET_BUILD_TYPE ", " __VERSION__ ")\n";
    out += "built with " SIGNET_LIBRARIES "\n";
    out += jose::openssl_version() + "\n";
    out += "SQLite " + store::sqlite_version() + "\n";
    out += "not in this build: client certificates, revocation.store redis, HTTP/2";
    if (!jose::has_ml_dsa()) out += ", ML-DSA (needs OpenSSL 3.5)";
    out += "\n";
    return out;
}

}  // namespace signet::app

namespace signet::app::cli {

void add_version(CLI::App& program, int& exit) {
    program.add_subcommand("version", "version, build, libraries, and what was left out")->callback([&exit] {
        std::cout << version_text();
        exit = exit_ok;
    });
}

}  // namespace signet::app::cli
