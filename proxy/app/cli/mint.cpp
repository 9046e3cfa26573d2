#include <iostream>

#include "app/cli/command.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "config/values.hpp"
#include "jose/signing_key.hpp"
#include "store/files.hpp"

namespace signet::app::cli {
namespace {

struct Options {
    std::string key_file, iss, sub, expires_in = "1h", typ = "at+jwt";
    std::vector<std::string> aud, claims;
};

int mint(const Options& o) {
    const bool past = o.expires_in.starts_with('-');
    const auto lifetime = config::parse_duration(std::string_view(o.expires_in).substr(past ? 1 : 0));
    if (!lifetime) {
        std::cerr << "signet mint: --expires-in: " << lifetime.error().message << "\n";
        return exit_usage;
    }
    const auto now = std::chrono::duration_cast<seconds>(wall_now().time_since_epoch()).count();
    const auto life = std::chrono::duration_cast<seconds>(*lifetime).count();

    // Named claims take the place of those that would be set.
    std::map<std::string, std::string> named;
    for (const auto& claim : o.claims) {
        const auto equals = claim.find('=');
        json::Document document;
        const auto value = equals == std::string::npos ? std::string{} : claim.substr(equals + 1);
        if (equals == 0 || equals == std::string::npos || !document.parse(value)) {
            std::cerr << "signet mint: --claim is name=JSON, such as --claim 'roles=[\"admin\"]'\n";
            return exit_usage;
        }
        named[claim.substr(0, equals)] = value;
    }
    const auto text = store::read_file(o.key_file, 64 * 1024);
    const auto key = text ? jose::SigningKey::from_jwk(*text) : result<jose::SigningKey>(text.error());
    if (!key) {
        std::cerr << "signet mint: " << o.key_file << ": " << key.error().message << "\n";
        return exit_failed;
    }
    std::string payload;
    json::Writer w(payload);
    w.object();
    const auto set = [&](const char* name, const auto& value) {
        if (!named.contains(name)) w.member(name, value);
    };
    if (!o.iss.empty()) set("iss", o.iss);
    if (!o.sub.empty()) set("sub", o.sub);
    if (o.aud.size() == 1) {
        set("aud", o.aud.front());
    } else if (!o.aud.empty() && !named.contains("aud")) {
        w.key("aud").array();
        for (const auto& a : o.aud) w.value(a);
        w.end_array();
    }
    set("iat", now);
    set("exp", past ? now - life : now + life);
    for (const auto& [name, value] : named) w.key(name).raw(value);
    w.end_object();
    const auto token = key->sign(payload, o.typ);
    if (!token) {
        std::cerr << "signet mint: " << token.error().message << "\n";
        return exit_failed;
    }
    std::cout << *token << "\n";
    return exit_ok;
}

}  // namespace

void add_mint(CLI::App& program, int& exit) {
    auto* command = program.add_subcommand("mint", "print a signed token; for development and tests");
    auto o = std::make_shared<Options>();
    command->add_option("--key", o->key_file, "private JWK, as keygen prints it")->required();
    command->add_option("--iss", o->iss, "issuer");
    command->add_option("--sub", o->sub, "subject");
    command->add_option("--aud", o->aud, "audience; may come several times");
    command->add_option("--claim", o->claims, "name=JSON; may come several times");
    command->add_option("--expires-in", o->expires_in, "lifetime; negative: expired so long ago")
        ->capture_default_str();
    command->add_option("--typ", o->typ, "the header's typ")->capture_default_str();
    command->callback([o, &exit] { exit = mint(*o); });
}

}  // namespace signet::app::cli
