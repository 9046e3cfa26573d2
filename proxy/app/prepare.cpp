#include "app/prepare.hpp"

#include "store/files.hpp"

namespace signet::app {
namespace {

const char* key_of(keys::SourceKind kind) {
    switch (kind) {
        case keys::SourceKind::inline_set:
            return "jwks";
        case keys::SourceKind::jwks_file:
            return "jwks_file";
        case keys::SourceKind::public_key_file:
            return "public_key_file";
        default:
            return "secret_file";
    }
}

config::Mark mark_at(const config::Configuration& c, const std::string& path) {
    const auto it = c.marks.find(path);
    return it == c.marks.end() ? config::Mark{} : it->second;
}

class Complaints {
  public:
    Complaints(const config::Configuration& c, config::Problems& problems) : c_(c), problems_(problems) {}
    // At the place of that key in the file.
    void operator()(const std::string& path, const std::string& message) const {
        const auto key = path.substr(path.rfind('.') + 1);
        problems_.push_back({mark_at(c_, path),
                             message.find(key) == std::string::npos ? key + ": " + message : message, false});
    }

  private:
    const config::Configuration& c_;
    config::Problems& problems_;
};

void check_fetch_files(const keys::Settings& settings, const std::string& where, const Complaints& complain) {
    if (!settings.bearer_token_file.empty())
        if (const auto token = store::read_file(settings.bearer_token_file, 64 * 1024); !token)
            complain(where + "bearer_token_file", token.error().message);
    if (!settings.ca_file.empty())
        if (const auto tls = net::make_client_tls(settings.ca_file); !tls)
            complain(where + "ca_file", tls.error().message);
}

std::shared_ptr<const jose::KeySet> prepare_keys(const config::Configuration& c, std::size_t issuer,
                                                 const std::string& where, const Complaints& complain) {
    const auto& settings = c.keys[issuer];
    if (settings.location.empty()) return nullptr;  // said already, or nothing to read
    if (keys::is_remote(settings.kind)) {
        check_fetch_files(settings, where, complain);
        return nullptr;
    }
    if (settings.kind == keys::SourceKind::inline_set && jose::is_empty_set(settings.location))
        return nullptr;
    auto set = read_keys(settings);
    if (!set) {
        complain(where + key_of(settings.kind), set.error().message);
        return nullptr;
    }
    // With a secret, algorithms that its length forbids are not worth naming.
    if (settings.kind == keys::SourceKind::secret_file && c.marks.contains(where + "algorithms")) {
        const auto allowed = c.rules->issuers[issuer].algorithms;
        if (!((allowed & set->keys.front().algorithms()) == allowed))
            complain(where + "algorithms", "the secret is too short for all of " + allowed.names() +
                                               "; it allows " + set->keys.front().algorithms().names());
    }
    return std::make_shared<const jose::KeySet>(std::move(*set));
}

}  // namespace

result<jose::KeySet> read_keys(const keys::Settings& settings) {
    if (settings.kind == keys::SourceKind::inline_set) return jose::parse_jwk_set(settings.location);
    auto text = store::read_file(settings.location, jose::max_key_set_bytes);
    if (!text) return text.error();
    const auto in_file = [&](result<jose::KeySet> set) -> result<jose::KeySet> {
        if (!set) return fault(settings.location + ": " + set.error().message);
        return set;
    };
    if (settings.kind == keys::SourceKind::jwks_file) return in_file(jose::parse_jwk_set(*text));
    if (settings.kind == keys::SourceKind::public_key_file) return in_file(jose::parse_pem_keys(*text));
    std::string_view secret = *text;
    if (secret.ends_with('\n')) secret.remove_suffix(1);
    if (secret.ends_with('\r') && text->ends_with("\r\n")) secret.remove_suffix(1);
    auto key = jose::VerificationKey::from_secret(secret);
    if (!key) return fault(settings.location + ": " + key.error().message);
    jose::KeySet set;
    set.keys.push_back(std::move(*key));
    return set;
}

TlsContexts prepare_tls(const config::Configuration& c, config::Problems& problems) {
    TlsContexts out;
    const Complaints complain(c, problems);
    if (c.net->tls.enabled() && !c.net->tls.private_key_file.empty()) {
        auto tls = net::make_listener_tls(c.net->tls);
        if (tls)
            out.listener = std::move(*tls);
        else
            complain("listen.tls.certificate_file", tls.error().message);
        out.files = {c.net->tls.certificate_file, c.net->tls.private_key_file};
    }
    for (const auto& upstream : c.net->upstreams) {
        out.upstreams.push_back(nullptr);
        if (!upstream.tls) continue;
        auto tls = net::make_client_tls(upstream.ca_file);
        if (tls)
            out.upstreams.back() = std::move(*tls);
        else
            complain("upstreams." + upstream.name + ".ca_file", tls.error().message);
        if (!upstream.ca_file.empty()) out.files.push_back(upstream.ca_file);
    }
    return out;
}

DecryptionKeys prepare_decryption(const config::Configuration& c, config::Problems& problems) {
    DecryptionKeys out;
    const Complaints complain(c, problems);
    for (std::size_t i = 0; i < c.keys.size(); ++i) {
        const auto& file = c.keys[i].decryption_file;
        if (file.empty()) continue;
        out.files.push_back(file);
        const std::string where = "issuers[" + std::to_string(i) + "].decryption.jwks_file";
        const auto text = store::read_file(file, jose::max_key_set_bytes);
        if (!text) {
            complain(where, text.error().message);
            continue;
        }
        auto keys = jose::parse_decryption_keys(*text);
        if (keys)
            out.keys.add(i, std::move(*keys));
        else
            complain(where, file + ": " + keys.error().message);
    }
    return out;
}

Prepared prepare(const config::Configuration& c, config::Problems& problems) {
    Prepared out;
    out.tls = prepare_tls(c, problems);
    out.decryption = prepare_decryption(c, problems);
    const Complaints complain(c, problems);
    for (std::size_t i = 0; i < c.keys.size(); ++i) {
        const std::string where = "issuers[" + std::to_string(i) + "].";
        out.key_sets.push_back(prepare_keys(c, i, where, complain));
    }
    if (!c.admin.token_file.empty()) {
        const auto token = store::read_file(c.admin.token_file, 4096);
        if (!token)
            complain("admin.token_file", token.error().message);
        else if (token->find_first_not_of("\r\n") == std::string::npos)
            complain("admin.token_file", c.admin.token_file + ": is empty");
    }
    return out;
}

}  // namespace signet::app
