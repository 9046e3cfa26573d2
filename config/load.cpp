#include "config/load.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "base/text.hpp"
#include "config/load_parts.hpp"
#include "config/section.hpp"

namespace signet::config {
namespace {

// Anchors make a file that cannot be read from top to bottom, and bombs of a few lines.
class NoAliases final : public YAML::EventHandler {
  public:
    explicit NoAliases(Problems& problems) : problems_(problems) {}
    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ == 2) complain(mark, "a second document; the configuration is one");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { check(mark, anchor); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        complain(mark, "YAML aliases are not accepted; write the value out");
    }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  const std::string&) override {
        check(mark, anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        check(mark, anchor);
    }
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        check(mark, anchor);
    }
    void OnMapEnd() override {}

  private:
    void check(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) complain(mark, "YAML anchors are not accepted; write the value out");
    }
    void complain(const YAML::Mark& mark, const char* message) {
        problems_.push_back({{mark.line + 1, mark.column + 1}, message, false});
    }
    Problems& problems_;
    int documents_ = 0;
};

void load_log(Section& root, Configuration& out) {
    out.net->access_log = true;
    auto log = root.section("log");
    if (!log) return;
    if (const auto level = log->choice("level", {"debug", "info", "warn", "error"}))
        out.log.level = static_cast<telemetry::Level>(*level);
    log->choice("format", {"json"});
    log->flag("access", out.net->access_log);
    out.rules->logged_claims = load_claim_paths(*log, "claims", {});
    log->finish();
}

void load_answers(Section& root, http::Answers& out) {
    auto answers = root.section("answers");
    if (!answers) return;
    answers->text("realm", out.realm);
    if (std::ranges::any_of(out.realm, [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7F;
        }))
        answers->error("realm", "realm has no quotes, backslashes or control characters");
    answers->flag("reasons", out.reasons);
    answers->finish();
}

void load_revocation(Section& root, Configuration& out) {
    out.revocation_store = out.state_dir.empty() ? RevocationStore::memory : RevocationStore::file;
    auto revocation = root.section("revocation");
    if (!revocation) return;
    if (const auto store = revocation->choice("store", {"file", "memory", "redis"})) {
        if (*store == 0) {
            out.revocation_store = RevocationStore::file;
            if (out.state_dir.empty())
                revocation->error("store", "store: file needs state_dir, where the file is kept");
        } else if (*store == 1) {
            out.revocation_store = RevocationStore::memory;
        } else {
            revocation->not_in_this_build("store", "revocation.store: redis");
        }
    }
    if (revocation->has("redis")) revocation->not_in_this_build("redis", "revocation.redis");
    // Nothing here can be stale: the store is this process or its disk. Read, so that a file for a later
    // build says so itself.
    milliseconds staleness{0};
    revocation->duration("max_staleness", staleness);
    revocation->choice("on_stale", {"deny", "allow"});
    revocation->finish();
}

void load_all(Section& root, const Environment& environment, Configuration& out) {
    const auto names = load_upstreams(root, out);
    std::vector<policy::ClaimHeader> headers;
    if (root.has("claim_to_headers")) {
        headers = load_claim_headers(root, "claim_to_headers");
    } else {
        headers.push_back(
            {*policy::ClaimPath::parse("sub"), "X-Auth-Subject", false, policy::Encoding::automatic});
        headers.push_back(
            {*policy::ClaimPath::parse("iss"), "X-Auth-Issuer", false, policy::Encoding::automatic});
    }
    // A header of the global list is ours even where every issuer has a list of its own.
    for (const auto& header : headers) out.rules->http.names.remove(header.header, http::Drop::always);
    const auto issuers = load_issuers(root, out, headers);
    load_routes(root, out, names, issuers);
    load_listeners(root, out);
    load_tokens(root, out);
    finish_resources(out);
    load_log(root, out);
    load_answers(root, out.rules->http.answers);
    root.text("state_dir", out.state_dir);
    if (out.state_dir.empty()) {
        const auto directories = environment("STATE_DIRECTORY").value_or("");
        out.state_dir = directories.substr(0, directories.find(':'));  // systemd may name several
    }
    load_revocation(root, out);
    root.flag("watch", out.watch);
    root.flag("bypass_cors_preflight", out.rules->bypass_cors_preflight);
    std::string workers = "auto";
    root.text("workers", workers);
    if (workers != "auto") root.count("workers", out.workers, 1, 1024);
    if (root.has("logout")) root.not_in_this_build("logout", "logout");
    root.finish();
}

}  // namespace

Loaded load(std::string_view yaml, const Environment& environment) {
    Loaded out;
    const std::string text(yaml);
    YAML::Node document;
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        NoAliases handler(out.errors);
        while (parser.HandleNextDocument(handler)) {
        }
        if (!out.errors.empty()) return out;
        document = YAML::Load(text);
    } catch (const YAML::Exception& e) {
        out.errors.push_back({{e.mark.line + 1, e.mark.column + 1}, "this is not YAML: " + e.msg, false});
        return out;
    }
    if (document.IsNull()) {
        out.errors.push_back(
            {{1, 1}, "the configuration is empty; `upstream` and `issuers` are needed", false});
        return out;
    }
    Reader reader(environment);
    Section root(reader, document, "");
    if (document.IsMap()) load_all(root, environment, out.configuration);
    auto& found = reader.problems();
    std::ranges::stable_sort(found, {}, [](const Problem& p) { return p.mark; });
    for (auto& problem : found)
        (problem.warning ? out.configuration.warnings : out.errors).push_back(std::move(problem));
    out.configuration.marks = std::move(reader.marks);
    return out;
}

}  // namespace signet::config
