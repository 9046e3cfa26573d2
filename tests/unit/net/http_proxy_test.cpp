#include "net/http_proxy.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>

namespace signet::net {
namespace {

using Variables = std::map<std::string, std::string>;

result<ProxyRules> rules_of(const Variables& variables) {
    return ProxyRules::from([&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found != variables.end() ? std::optional(found->second) : std::nullopt;
    });
}

std::string way(const Variables& variables, const std::string& host, const std::string& port = "443") {
    const auto rules = rules_of(variables);
    REQUIRE(rules.has_value());
    const auto* proxy = rules->find(host, port);
    return proxy == nullptr ? "direct"
                            : proxy->endpoint.host + ":" + std::to_string(proxy->endpoint.port) +
                                  (proxy->authorization.empty() ? "" : " " + proxy->authorization);
}

TEST_CASE("without HTTPS_PROXY all is direct") {
    CHECK(way({}, "idp.example.com") == "direct");
    CHECK(way({{"HTTPS_PROXY", ""}}, "idp.example.com") == "direct");
    CHECK(way({{"HTTP_PROXY", "http://p:1"}}, "idp.example.com") == "direct");
}

TEST_CASE("the proxy's URL is read, and the lower-case name counts first") {
    CHECK(way({{"HTTPS_PROXY", "http://proxy.corp:3128"}}, "idp.example.com") == "proxy.corp:3128");
    CHECK(way({{"HTTPS_PROXY", "proxy.corp:3128"}}, "idp.example.com") == "proxy.corp:3128");
    CHECK(way({{"HTTPS_PROXY", "http://proxy.corp/"}}, "idp.example.com") == "proxy.corp:80");
    CHECK(way({{"HTTPS_PROXY", "http://[fd00::1]:8080"}}, "idp.example.com") == "fd00::1:8080");
    CHECK(way({{"HTTPS_PROXY", "http://Aladdin:open%20sesame@p:1"}}, "idp.example.com") ==
          "p:1 Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(way({{"HTTPS_PROXY", "http://big:1"}, {"https_proxy", "http://small:2"}}, "x") == "small:2");
    CHECK(way({{"HTTPS_PROXY", "http://big:1"}, {"https_proxy", ""}}, "x") == "direct");
}

TEST_CASE("what is no http:// proxy is refused, and its password is not told") {
    for (const auto* url :
         {"https://user:secret@p:1", "socks5://p:1", "http://", "http://user:secret@:1", "http://p:0",
          "http://p:65536", "http://p:secret", "http://p:1/secret", "http://user:secret@p q:1"}) {
        CAPTURE(url);
        const auto rules = rules_of({{"HTTPS_PROXY", url}});
        REQUIRE_FALSE(rules.has_value());
        CHECK(rules.error().message.find("HTTPS_PROXY") == 0);
        CHECK(rules.error().message.find("secret") == std::string::npos);
    }
}

TEST_CASE("NO_PROXY names hosts, domains, addresses, blocks and ports") {
    struct Row {
        const char* no_proxy;
        const char* host;
        const char* port;
        bool direct;
    };
    for (const auto& row : {Row{"example.com", "example.com", "443", true},
                            {"example.com", "IDP.Example.com.", "443", true},
                            {"example.com", "badexample.com", "443", false},
                            {".example.com", "idp.example.com", "443", true},
                            {"*.example.com", "idp.example.com", "443", true},
                            {"EXAMPLE.com", "example.com", "443", true},
                            {"a.test, example.com", "example.com", "443", true},
                            {"a.test example.com", "example.com", "443", true},
                            {"example.com:8443", "example.com", "443", false},
                            {"example.com:8443", "example.com", "8443", true},
                            {"10.0.0.0/8", "10.1.2.3", "443", true},
                            {"10.0.0.0/8", "11.1.2.3", "443", false},
                            {"10.1.2.3:443", "10.1.2.3", "443", true},
                            {"fd00::/8", "fd00::1", "443", true},
                            {"[fd00::1]:443", "fd00::1", "443", true},
                            {"fd00::1", "fd00::2", "443", false},
                            {"*", "anything", "443", true},
                            {"", "localhost", "443", true},
                            {"", "127.0.0.1", "443", true},
                            {"", "::1", "443", true},
                            {",, ,", "example.com", "443", false}}) {
        CAPTURE(row.no_proxy, row.host, row.port);
        CHECK((way({{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", row.no_proxy}}, row.host, row.port) ==
               "direct") == row.direct);
    }
}

}  // namespace
}  // namespace signet::net
