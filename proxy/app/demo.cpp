#include "app/demo.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "app/application.hpp"
#include "base/json_writer.hpp"
#include "jose/signing_key.hpp"
#include "net/http_client.hpp"

namespace signet::app {
namespace {

constexpr std::size_t max_body = 1024 * 1024;

constexpr const char* audience = "demo-api";

// The issuer (its documents and a key) and the upstream, which tells what it got. Both on a thread of their
// own.
class Surroundings {
  public:
    result<bool> start() {
        auto key = jose::SigningKey::generate(jose::Algorithm::ES256, "demo-1");
        if (!key) return key.error();
        key_ = std::make_unique<jose::SigningKey>(std::move(*key));
        issuer_ = std::make_unique<net::ControlServer>(
            context_, [this](const PlainRequest& r, const Reply& reply) { reply(issue(r)); }, max_body);
        upstream_ = std::make_unique<net::ControlServer>(
            context_, [](const PlainRequest& r, const Reply& reply) { reply(echo(r)); }, max_body);
        const auto issuer_at = issuer_->listen({"127.0.0.1", 0});
        const auto upstream_at = upstream_->listen({"127.0.0.1", 0});
        if (!issuer_at) return issuer_at.error();
        if (!upstream_at) return upstream_at.error();
        issuer_url_ = "http://127.0.0.1:" + std::to_string(issuer_at->port);
        upstream_url_ = "http://127.0.0.1:" + std::to_string(upstream_at->port);
        thread_ = std::thread([this] { context_.run(); });
        return true;
    }
    ~Surroundings() {
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

    [[nodiscard]] std::string config(const std::string& state_dir, std::uint16_t port) const {
        return "listen: 127.0.0.1:" + std::to_string(port) +
               "\nadmin: 127.0.0.1:0\nworkers: 1\nstate_dir: '" + state_dir +
               "'\nupstream: " + upstream_url_ + "\nissuers:\n  - issuer: " + issuer_url_ +
               "\n    name: demo\n    audiences: [" + audience + "]\nlog: {level: error, access: false}\n";
    }

    // expires_in may be negative.
    [[nodiscard]] std::string token(const std::string& jti, seconds expires_in) const {
        const auto now = std::chrono::duration_cast<seconds>(wall_now().time_since_epoch()).count();
        std::string payload;
        json::Writer w(payload);
        w.object()
            .member("iss", issuer_url_)
            .member("aud", audience)
            .member("sub", "alice")
            .member("jti", jti);
        w.member("iat", now - 3600).member("exp", now + expires_in.count()).end_object();
        return key_->sign(payload).value();
    }

  private:
    PlainResponse issue(const PlainRequest& request) const {
        if (request.path() == "/jwks") return {200, "application/jwk-set+json", key_->public_jwk_set()};
        if (request.path() != "/.well-known/openid-configuration")
            return {404, "text/plain", "no such page\n"};
        PlainResponse out;
        json::Writer w(out.body);
        w.object().member("issuer", issuer_url_).member("jwks_uri", issuer_url_ + "/jwks").end_object();
        return out;
    }
    static PlainResponse echo(const PlainRequest& request) {
        std::string body = request.method + " " + request.target + "\n";
        for (const auto& [name, value] : request.headers)
            body.append(name).append(": ").append(value).append("\n");
        return {200, "text/plain", body};
    }

    boost::asio::io_context context_;
    std::unique_ptr<jose::SigningKey> key_;
    std::unique_ptr<net::ControlServer> issuer_, upstream_;
    std::string issuer_url_, upstream_url_;
    std::thread thread_;
};

// The proxy, started and stopped as one.
class Proxy {
  public:
    result<Listening> start(const std::string& yaml, telemetry::Log& log) {
        auto loaded = load_config({"<demo>", "", yaml});
        if (auto* problems = std::get_if<config::Problems>(&loaded))
            return fault(config::describe("<demo>", problems->front()));
        application_ = std::make_unique<Application>(ConfigSource{"<demo>", "", yaml},
                                                     std::get<LoadedConfig>(std::move(loaded)), log);
        auto listening = application_->start();
        if (!listening) return listening;
        thread_ = std::thread([this] { application_->run(false); });
        for (int i = 0; i < 500 && !application_->ready(); ++i) std::this_thread::sleep_for(milliseconds(10));
        if (!application_->ready()) return fault("the proxy got no keys from the demo issuer");
        return listening;
    }
    void stop() {
        if (thread_.joinable()) {
            application_->stop();
            thread_.join();
        }
        application_.reset();
    }
    ~Proxy() { stop(); }

  private:
    std::unique_ptr<Application> application_;
    std::thread thread_;
};

class Script {
  public:
    bool expect(const char* what, const net::Address& at, const PlainRequest& request, int status,
                std::string_view in_body) {
        const auto answer = net::ask({at.host, at.port}, request);
        std::cout << "\n== " << what << "\n" << request.method << " " << request.target << "\n";
        if (!answer) {
            std::cout << "   failed: " << answer.error().message << "\n";
            return good_ = false;
        }
        std::cout << "-> " << answer->status << "\n"
                  << answer->body << (answer->body.ends_with('\n') ? "" : "\n");
        const bool as_expected = answer->status == status && answer->body.find(in_body) != std::string::npos;
        if (!as_expected) std::cout << "   expected " << status << " with \"" << in_body << "\"\n";
        good_ = good_ && as_expected;
        return as_expected;
    }
    [[nodiscard]] bool good() const { return good_; }

  private:
    bool good_ = true;
};

PlainRequest get(const std::string& token) {
    PlainRequest r{"GET", "/orders", {}, ""};
    if (!token.empty()) r.headers.emplace_back("Authorization", "Bearer " + token);
    return r;
}

PlainRequest revoke(const std::string& jti) {
    return {"POST",
            "/v1/revocations",
            {{"Content-Type", "application/json"}},
            "{\"jti\":\"" + jti + "\",\"reason\":\"demo\"}"};
}

int play_once(const Surroundings& surroundings, const std::string& state_dir, telemetry::Log& log) {
    Script script;
    const auto good = surroundings.token("demo-good", seconds(600));
    const auto revoked = surroundings.token("demo-revoked", seconds(600));
    {
        Proxy proxy;
        const auto at = proxy.start(surroundings.config(state_dir, 0), log);
        if (!at) {
            std::cerr << "signet demo: " << at.error().message << "\n";
            return 1;
        }
        script.expect("without a token", at->proxy, get(""), 401, "token_missing");
        script.expect("with a good token: the upstream sees the claims", at->proxy, get(good), 200,
                      "X-Auth-Subject: alice");
        script.expect("with an expired token", at->proxy, get(surroundings.token("demo-old", seconds(-120))),
                      401, "expired");
        script.expect("with a token that is about to be revoked", at->proxy, get(revoked), 200,
                      "X-Auth-Subject: alice");
        script.expect("its revocation, through the admin API", *at->admin, revoke("demo-revoked"), 201,
                      "demo-revoked");
        script.expect("the next request with it", at->proxy, get(revoked), 401, "revoked");
    }
    Proxy proxy;
    const auto at = proxy.start(surroundings.config(state_dir, 0), log);
    if (!at) {
        std::cerr << "signet demo: " << at.error().message << "\n";
        return 1;
    }
    std::cout << "\n== the proxy was restarted\n";
    script.expect("the revoked token again", at->proxy, get(revoked), 401, "revoked");
    script.expect("the good one again", at->proxy, get(good), 200, "X-Auth-Subject: alice");
    std::cout << (script.good() ? "\nAll answers were as they should be.\n"
                                : "\nSome answers were not as they should be.\n");
    return script.good() ? 0 : 1;
}

int play_until_stopped(const Surroundings& surroundings, const std::string& state_dir, telemetry::Log& log) {
    Proxy proxy;
    const auto at = proxy.start(surroundings.config(state_dir, 0), log);
    if (!at) {
        std::cerr << "signet demo: " << at.error().message << "\n";
        return 1;
    }
    const auto revoked = net::ask({at->admin->host, at->admin->port}, revoke("demo-revoked"));
    if (!revoked || revoked->status != 201) {
        std::cerr << "signet demo: the revocation was not taken\n";
        return 1;
    }
    const std::string url = "http://127.0.0.1:" + std::to_string(at->proxy.port) + "/orders";
    const std::string admin = "http://127.0.0.1:" + std::to_string(at->admin->port);
    const auto curl = [&](const std::string& jti) {
        std::string out = "curl -i " + url;
        if (!jti.empty()) out += " -H 'Authorization: Bearer " + surroundings.token(jti, seconds(3600)) + "'";
        return out + "\n";
    };
    // At once: the log writes to the same place from a thread of its own, and must not fall into a line.
    std::cout << "Signet stands at " + url + " in front of an echo. Its admin API is at " + admin +
                     ".\n\n# admitted\n" + curl("demo-good") + "\n# refused\n" + curl("") + "\n# revoked\n" +
                     curl("demo-revoked") + "\nCtrl-C ends it.\n"
              << std::flush;
    boost::asio::io_context waiting;
    boost::asio::signal_set signals(waiting, SIGINT, SIGTERM);
    signals.async_wait([](boost::system::error_code, int) {});
    waiting.run();
    return 0;
}

}  // namespace

int run_demo(bool once) {
    std::string state_dir = (std::filesystem::temp_directory_path() / "signet-demo-XXXXXX").string();
    if (::mkdtemp(state_dir.data()) == nullptr) {
        std::cerr << "signet demo: no temporary folder can be made\n";
        return 1;
    }
    int result = 1;
    {
        telemetry::Log log(telemetry::Level::error);
        Surroundings surroundings;
        if (const auto started = surroundings.start(); !started)
            std::cerr << "signet demo: " << started.error().message << "\n";
        else
            result = once ? play_once(surroundings, state_dir, log)
                          : play_until_stopped(surroundings, state_dir, log);
    }
    std::error_code ignored;
    std::filesystem::remove_all(state_dir, ignored);
    return result;
}

}  // namespace signet::app
