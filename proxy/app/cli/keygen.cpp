#include <iostream>

#include "app/cli/command.hpp"
#include "base/hash128.hpp"
#include "jose/signing_key.hpp"
#include "store/files.hpp"

namespace signet::app::cli {
namespace {

struct Options {
    std::string alg, kid, from;
    bool only_public = false;
};

int keygen(Options o) {
    result<jose::SigningKey> key = fault("");
    if (!o.from.empty()) {
        const auto text = store::read_file(o.from, 64 * 1024);
        key = text ? jose::SigningKey::from_jwk(*text) : result<jose::SigningKey>(text.error());
    } else {
        const auto algorithm = jose::algorithm_from(o.alg);
        if (!algorithm) {
            std::cerr << "signet keygen: '" << o.alg
                      << "' is none of RS256…PS512, ES256…ES512, ES256K, EdDSA, Ed25519, Ed448, "
                         "ML-DSA-44…ML-DSA-87, HS256…HS512"
                      << jose::why_unknown(o.alg) << "\n";
            return exit_usage;
        }
        if (o.kid.empty()) {
            const auto seed = random_seed();
            for (int shift = 60; shift >= 0; shift -= 4) o.kid += "0123456789abcdef"[(seed.k0 >> shift) & 15];
        }
        key = jose::SigningKey::generate(*algorithm, o.kid);
    }
    if (!key) {
        std::cerr << "signet keygen: " << key.error().message << "\n";
        return exit_failed;
    }
    std::cout << (o.only_public ? key->public_jwk_set() : key->private_jwk()) << "\n";
    return exit_ok;
}

}  // namespace

void add_keygen(CLI::App& program, int& exit) {
    auto* command = program.add_subcommand(
        "keygen", "print a private JWK, or its public key set; for development and tests");
    auto o = std::make_shared<Options>();
    auto* alg = command->add_option("--alg", o->alg, "RS256, ES256, EdDSA, ML-DSA-65, HS256, …");
    command->add_option("--kid", o->kid, "the key's name; default: made up");
    auto* from =
        command->add_option("--from", o->from, "take the private JWK in this file instead of making one");
    from->excludes(alg);
    command->add_flag("--public", o->only_public, "print the public JWKS");
    command->callback([o, &exit] {
        if (o->alg.empty() && o->from.empty()) throw CLI::RequiredError("--alg");
        exit = keygen(*o);
    });
}

}  // namespace signet::app::cli
