// The admin API and the health page: requests in, responses out. What changes anything goes through Actions.
#pragma once

#include <functional>
#include <string>

#include "admin/settings.hpp"
#include "admin/status.hpp"
#include "base/plain_http.hpp"
#include "revocation/ledger.hpp"

namespace signet::admin {

// What the API can do. Called on the control thread.
struct Actions {
    revocation::Ledger& ledger;
    std::function<bool(std::string_view issuer)> refresh;  // false: no such issuer
    std::function<std::string(const std::string& token, const PlainRequest& request)> explain;  // JSON
    std::function<void(std::string_view method, std::string_view path, int status)> log_change;
};

// Which requests need the workers' figures in Facts.
bool needs_figures(const PlainRequest& request);

// full: the admin listener; else the health one, which serves the three pages and nothing else.
// token: the contents of token_file, read for this request; nullopt: none is configured.
PlainResponse handle(const PlainRequest& request, const Facts& facts, Actions& actions,
                     const Settings& settings, const std::optional<std::string>& token, bool full,
                     WallTime now);

}  // namespace signet::admin
