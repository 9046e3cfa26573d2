#include <iostream>

#include "app/cli/command.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "config/values.hpp"

namespace signet::app::cli {
namespace {

struct Options {
    AdminOptions admin;
    std::string jti, sid, sub, client, kid, issuer, issued_before, expires, ttl, reason;
};

std::string not_empty(const std::string& value) { return value.empty() ? "is given, but empty" : ""; }

int revoke(const Options& o) {
    std::string body;
    json::Writer w(body);
    w.object();
    for (const auto& [name, value] : {std::pair{"jti", &o.jti},
                                      {"sid", &o.sid},
                                      {"sub", &o.sub},
                                      {"client", &o.client},
                                      {"kid", &o.kid},
                                      {"issuer", &o.issuer},
                                      {"reason", &o.reason}})
        if (!value->empty()) w.member(name, *value);
    for (const auto& [name, value] :
         {std::pair{"issued_before", &o.issued_before}, {"expires_at", &o.expires}}) {
        if (value->empty()) continue;
        const auto time = parse_time(*value);
        if (!time) {
            std::cerr << "signet revoke: '" << *value << "' is no time in Unix seconds or RFC 3339\n";
            return exit_usage;
        }
        w.member(name, rfc3339(*time));
    }
    if (!o.ttl.empty()) {
        const auto ttl = config::parse_duration(o.ttl);
        if (!ttl) {
            std::cerr << "signet revoke: --ttl: " << ttl.error().message << "\n";
            return exit_usage;
        }
        w.member("expires_at", rfc3339((wall_now() + *ttl).time_since_epoch().count()));
    }
    w.end_object();
    const auto answer = ask_admin(o.admin, {"POST", "/v1/revocations", {}, body});
    if (!succeeded(answer, 201)) return exit_failed;
    std::cout << answer->body << "\n";
    json::Document document;
    const auto entry = document.parse(answer->body);
    const auto reach = entry ? entry->find("reach") : std::nullopt;
    if (reach && reach->string() == "instance")
        std::cerr << "reach: this instance; others are not told\n";
    else if (reach && reach->string())
        std::cerr << "reach: " << *reach->string() << "\n";
    return exit_ok;
}

}  // namespace

void add_revoke(CLI::App& program, int& exit) {
    auto* command =
        program.add_subcommand("revoke", "revoke tokens through the admin API of a running instance");
    auto o = std::make_shared<Options>();
    auto* target =
        command->add_option_group("target", "what to revoke; an issuer alone revokes all of its tokens");
    target->add_option("--jti", o->jti, "one token");
    target->add_option("--sid", o->sid, "a session");
    target->add_option("--sub", o->sub, "a subject");
    target->add_option("--client", o->client, "a client");
    target->add_option("--kid", o->kid, "all that this key signed");
    target->require_option(0, 1);
    // An option whose shell variable was empty must not leave a wider target than was meant.
    for (auto* option : target->get_options()) option->check(not_empty);
    command->add_option("--issuer", o->issuer, "of this issuer only")->check(not_empty);
    command->add_option("--issued-before", o->issued_before, "tokens issued later stay good")
        ->check(not_empty);
    auto* expires = command->add_option("--expires", o->expires, "when the entry ends")->check(not_empty);
    command->add_option("--ttl", o->ttl, "after how long the entry ends")
        ->check(not_empty)
        ->excludes(expires);
    command->add_option("--reason", o->reason, "kept with the entry");
    add_admin_options(*command, o->admin);
    command->callback([o, &exit] {
        if (o->jti.empty() && o->sid.empty() && o->sub.empty() && o->client.empty() && o->kid.empty() &&
            o->issuer.empty())
            throw CLI::RequiredError("one of --jti, --sid, --sub, --client, --kid, --issuer");
        exit = revoke(*o);
    });
}

}  // namespace signet::app::cli
