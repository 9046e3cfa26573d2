#include <iostream>

#include "app/cli/command.hpp"
#include "base/json.hpp"
#include "config/values.hpp"
#include "net/http_client.hpp"
#include "store/files.hpp"

namespace signet::app::cli {

void add_config_options(CLI::App& command, ConfigOptions& options) {
    command.add_option("-c,--config", options.file,
                       "configuration file; default $SIGNET_CONFIG or /etc/signet/signet.yaml");
    command.add_option("--config-yaml", options.yaml,
                       "the configuration itself; default $SIGNET_CONFIG_YAML");
}

void print_problems(const std::string& source, const config::Problems& problems) {
    for (const auto& p : problems) std::cerr << config::describe(source, p) << "\n";
}

void add_admin_options(CLI::App& command, AdminOptions& options) {
    command.add_option("--admin", options.url, "the instance's admin API")->capture_default_str();
    command.add_option("--token-file", options.token_file, "file with the admin token");
}

result<PlainResponse> ask_admin(const AdminOptions& options, PlainRequest request) {
    const auto url = config::parse_url(options.url);
    if (!url) return fault("--admin: " + url.error().message);
    if (url->https)
        return fault("--admin: the admin API speaks http://, on loopback or behind a tunnel of yours");
    if (!options.token_file.empty()) {
        auto token = store::read_file(options.token_file, 4096);
        if (!token) return token.error();
        while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
        request.headers.emplace_back("Authorization", "Bearer " + *token);
    }
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    return net::ask({url->host, url->port}, request);
}

bool succeeded(const result<PlainResponse>& answer, int status) {
    if (!answer) {
        std::cerr << "signet: " << answer.error().message << "\n";
        return false;
    }
    if (answer->status == status) return true;
    json::Document document;
    const auto problem = document.parse(answer->body);
    const auto detail = problem ? problem->find("detail") : std::nullopt;
    std::cerr << "signet: the instance answered " << answer->status;
    if (detail && detail->string()) std::cerr << ": " << *detail->string();
    std::cerr << "\n";
    return false;
}

}  // namespace signet::app::cli
