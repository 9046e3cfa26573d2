// One command a file. Each adds itself to the program and says what it does when it is chosen; its exit code
// goes to `exit`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "app/config_source.hpp"
#include "base/plain_http.hpp"

namespace signet::app::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_undecided = 2;
inline constexpr int exit_usage = 64;   // EX_USAGE
inline constexpr int exit_config = 78;  // EX_CONFIG

void add_run(CLI::App& program, int& exit);
void add_check(CLI::App& program, int& exit);
void add_explain(CLI::App& program, int& exit);
void add_revoke(CLI::App& program, int& exit);
void add_revocations(CLI::App& program, int& exit);
void add_health(CLI::App& program, int& exit);
void add_keygen(CLI::App& program, int& exit);
void add_mint(CLI::App& program, int& exit);
void add_demo(CLI::App& program, int& exit);
void add_version(CLI::App& program, int& exit);

// -c and --config-yaml
void add_config_options(CLI::App& command, ConfigOptions& options);
// Prints problems to standard error.
void print_problems(const std::string& source, const config::Problems& problems);

// --admin and --token-file
struct AdminOptions {
    std::string url = "http://127.0.0.1:9901";
    std::string token_file;
};
void add_admin_options(CLI::App& command, AdminOptions& options);
result<PlainResponse> ask_admin(const AdminOptions& options, PlainRequest request);
// Prints what went wrong, from the transport or the API; true if the answer has this status.
bool succeeded(const result<PlainResponse>& answer, int status);

}  // namespace signet::app::cli
