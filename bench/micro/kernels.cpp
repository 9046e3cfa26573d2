#include <memory>
#include <stdexcept>

#include "gate/gate.hpp"
#include "http/response_head.hpp"
#include "jose/signing_key.hpp"
#include "micro/kernel.hpp"
#include "revocation/index.hpp"

namespace signet::bench {
namespace {

constexpr std::int64_t now_s = 1'700'000'000;
constexpr WallTime wall{milliseconds{now_s * 1000}};
constexpr SteadyTime steady{std::chrono::hours{1000}};
constexpr std::string_view answer_text =
    "HTTP/1.1 200 OK\r\nServer: upstream\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: "
    "application/json\r\nContent-Length: 1024\r\nETag: \"5f3-1\"\r\nVary: Accept-Encoding\r\n\r\n";

policy::Route route(std::string name, std::string prefix) {
    policy::Route out;
    out.name = std::move(name);
    out.prefix = std::move(prefix);
    return out;
}

// About 1 KB with the claims that identity providers send.
std::string payload(std::size_t number) {
    std::string roles;
    for (int i = 0; i < 16; ++i) roles += ",\"role-" + std::to_string(i) + "-xyz\"";
    return R"({"exp":)" + std::to_string(now_s + 3600) + R"(,"iat":)" + std::to_string(now_s) +
           R"(,"jti":"5c3b9a10-)" + std::to_string(number) +
           R"(","iss":"https://idp.example.com/realms/prod","aud":["orders-api","account"],"sub":"f3d1-)" +
           std::to_string(number) +
           R"(","azp":"web","sid":"77aa-1","scope":"openid profile email","realm_access":{"roles":["user")" +
           roles + "]}}";
}

// A gate with one issuer, and a token that it remembers.
struct House {
    explicit House(std::size_t revoked) : index({1, 2}), gate(index, 1 << 20) {
        for (std::size_t i = 0; i < revoked; ++i)
            index.put(index.hash(revocation::Kind::jti, {}, "revoked-" + std::to_string(i)), std::nullopt,
                      std::nullopt);
        auto rules = std::make_shared<gate::Rules>();
        rules->http.names.add_token_source("Authorization", 0);
        policy::IssuerRules issuer;
        issuer.name = "idp.example.com";
        issuer.issuer = "https://idp.example.com/realms/prod";
        issuer.audiences = {"orders-api"};
        for (const auto& [claim, header] :
             {std::pair{"sub", "X-Auth-Subject"}, std::pair{"iss", "X-Auth-Issuer"}})
            issuer.claim_headers.push_back({policy::ClaimPath::parse(claim).value(), header});
        rules->issuers.push_back(std::move(issuer));
        rules->routes = policy::RouteTable({route("all", "")});
        const auto key = jose::SigningKey::generate(jose::Algorithm::ES256, "k1").value();
        auto snapshot = std::make_shared<keys::KeySnapshot>();
        snapshot->set = std::make_shared<jose::KeySet>(jose::parse_jwk_set(key.public_jwk_set()).value());
        token = key.sign(payload(1)).value();
        text =
            "GET /orders/42?full=1 HTTP/1.1\r\nHost: orders.example.com\r\nUser-Agent: bench/1\r\nAccept: "
            "application/json\r\nAuthorization: Bearer " +
            token + "\r\n\r\n";
        gate.install(rules, {snapshot});
        parse();
        if (decide().kind != gate::Decision::Kind::allow || !decide().remembered)
            throw std::logic_error("the token is not remembered");
    }
    void parse() {
        if (http::parse_request_head(text, gate.rules().http.names, {}, head))
            throw std::logic_error("the request cannot be read");
    }
    gate::Decision decide() {
        return gate.decide(head, target, {"127.0.0.1", false, false}, {wall, steady}, gate::KeyWait::none);
    }

    revocation::Index index;
    gate::Gate gate;
    std::string token;
    std::string text;
    http::RequestHead head;
    http::Target target;
};

Kernel parse_head(const std::shared_ptr<House>& house) {
    return {"request head: read", true, [house](std::size_t n) {
                for (std::size_t i = 0; i < n; ++i) {
                    house->parse();
                    keep(house->head.host.data());
                }
            }};
}

Kernel decide_remembered(const std::shared_ptr<House>& house) {
    return {"decide: a remembered token", true, [house](std::size_t n) {
                for (std::size_t i = 0; i < n; ++i) keep(house->decide().kind);
            }};
}

Kernel upstream_head(const std::shared_ptr<House>& house) {
    return {"upstream head: write", true, [house](std::size_t n) {
                const auto decision = house->decide();
                const http::UpstreamForm form;
                std::string buffer;
                for (std::size_t i = 0; i < n; ++i)
                    keep(http::make_upstream_head(
                             buffer, house->head, house->target, *decision.allow, {"127.0.0.1", false, false},
                             "0123456789abcdef0123456789abcdef", form, house->gate.rules().http)
                             .text()
                             .size());
            }};
}

Kernel answer_head() {
    return {"answer head: read and write", true, [](std::size_t n) {
                http::ResponseHead head;
                std::string buffer;
                for (std::size_t i = 0; i < n; ++i) {
                    buffer.clear();
                    if (http::parse_response_head(answer_text, false, {}, head) != nullptr)
                        throw std::logic_error("answer");
                    http::make_client_head(buffer, head, http::Delivery::length, {});
                    keep(buffer.size());
                }
            }};
}

Kernel revocation_lookup(const char* name, std::size_t entries, bool guarded) {
    const auto house = std::make_shared<House>(entries);
    return {name, guarded, [house](std::size_t n) {
                revocation::Index::Reader reader(house->index);
                const auto decision = house->decide();
                const auto& targets = decision.token->targets();
                for (std::size_t i = 0; i < n; ++i)
                    keep(reader.is_revoked(targets.data(), targets.data() + targets.size(), wall, wall));
            }};
}

Kernel read_token(const std::shared_ptr<House>& house) {
    return {"token: read", false, [house](std::size_t n) {
                jose::TokenReader reader;
                for (std::size_t i = 0; i < n; ++i)
                    keep(reader.read(TokenText(house->token)).value().signature.size());
            }};
}

Kernel match_routes() {
    std::vector<policy::Route> routes;
    for (int i = 0; i < 1000; ++i)
        routes.push_back(route("r" + std::to_string(i), "/service-" + std::to_string(i) + "/v1"));
    const auto table = std::make_shared<policy::RouteTable>(std::move(routes));
    return {"routes: the last of 1,000", false, [table](std::size_t n) {
                for (std::size_t i = 0; i < n; ++i)
                    keep(table->match("GET", "orders.example.com", "/service-999/v1/orders/42"));
            }};
}

}  // namespace

std::vector<Kernel> path_kernels() {
    const auto house = std::make_shared<House>(0);
    return {parse_head(house),
            decide_remembered(house),
            upstream_head(house),
            answer_head(),
            revocation_lookup("revocations: 10 names among 10,000", 10'000, true),
            revocation_lookup("revocations: 10 names among 1,000,000", 1'000'000, false),
            read_token(house),
            match_routes()};
}

}  // namespace signet::bench
