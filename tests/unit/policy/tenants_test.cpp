#include "policy/tenants.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace signet::policy {
namespace {

using namespace std::literals;

const auto text = "https://login.example.com/{tenant}/v2.0"s;

TEST_CASE("a tenant's name stands where the mark stands, whole, and is no path") {
    const Tenants any(text, {});
    for (const auto* iss :
         {"https://login.example.com/a/v2.0", "https://login.example.com/9188040d-6c67-4c5b/v2.0",
          "https://login.example.com/contoso.example/v2.0", "https://login.example.com/v2.0/v2.0"}) {
        CAPTURE(iss);
        CHECK(any.has(iss));
    }
    for (const auto iss :
         {"https://login.example.com//v2.0"sv, "https://login.example.com/v2.0"sv,
          "https://login.example.com/a/b/v2.0"sv, "https://login.example.com/a/v2.0/"sv,
          "https://login.example.com/a/v2.0\0"sv, "https://login.example.com/a"sv,
          "HTTPS://login.example.com/a/v2.0"sv, "https://login.example.com.evil/a/v2.0"sv,
          "https://login.example.com/a%2fb/v2.0"sv, "https://login.example.com/a?x=/v2.0"sv,
          "https://login.example.com/\xc3\xa9/v2.0"sv, "https://login.example.com/{tenant}/v2.0"sv, ""sv}) {
        CAPTURE(iss);
        CHECK_FALSE(any.has(iss));
    }
    CHECK_FALSE(any.has("https://login.example.com/" + std::string(257, 'a') + "/v2.0"));
}

TEST_CASE("where tenants are named, those alone") {
    const Tenants some(text, {"one", "two"});
    CHECK(some.has("https://login.example.com/one/v2.0"));
    CHECK_FALSE(some.has("https://login.example.com/ONE/v2.0"));
    CHECK_FALSE(some.has("https://login.example.com/three/v2.0"));
    const Tenants last("https://login.example.com/t/{tenant}", {"one"});
    CHECK(last.has("https://login.example.com/t/one"));
    CHECK_FALSE(last.has("https://login.example.com/t/one/"));
}

}  // namespace
}  // namespace signet::policy
