#include "http/header_names.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "http/request_head.hpp"

namespace signet::http {
namespace {

using namespace std::literals;

HeaderKind kind_of(const HeaderNames& names, std::string_view name) {
    const auto line = std::string(name) + ": x";
    HeaderField field;
    std::uint32_t hash = 0;
    REQUIRE(parse_field_line(line, field, hash) == nullptr);
    return names.classify(field.name, hash);
}

TEST_CASE("names that mean something are known in any case, and by no other spelling") {
    const HeaderNames names;
    const std::pair<std::string_view, HeaderId> rows[] = {
        {"Host", HeaderId::host},
        {"Connection", HeaderId::connection},
        {"Content-Length", HeaderId::content_length},
        {"Transfer-Encoding", HeaderId::transfer_encoding},
        {"Authorization", HeaderId::authorization},
        {"Cookie", HeaderId::cookie},
        {"Expect", HeaderId::expect},
        {"Upgrade", HeaderId::upgrade},
        {"Origin", HeaderId::origin},
        {"Sec-Fetch-Site", HeaderId::sec_fetch_site},
        {"Access-Control-Request-Method", HeaderId::access_control_request_method},
        {"X-Request-Id", HeaderId::x_request_id},
    };
    for (const auto& [name, id] : rows) {
        std::string upper(name), lower_case(name), alias(name);
        for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        for (char& c : lower_case) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        CAPTURE(name);
        for (const auto& spelling : {std::string(name), upper, lower_case}) {
            CHECK(kind_of(names, spelling).id == id);
            CHECK(kind_of(names, spelling).drop == Drop::never);
        }
        for (char& c : alias) c = c == '-' ? '_' : c;
        if (alias == name) continue;
        CHECK(kind_of(names, alias).id == HeaderId::other);
        CHECK(kind_of(names, alias).drop == Drop::always);
    }
}

TEST_CASE("what belongs to one hop, and what poisons CGI, always goes") {
    const HeaderNames names;
    for (const auto name :
         {"Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
          "HTTP2-Settings", "Proxy", "proxy", "PROXY", "Keep_Alive", "HTTP2.Settings"}) {
        CAPTURE(name);
        CHECK(kind_of(names, name).drop == Drop::always);
    }
}

TEST_CASE("forwarded fields go unless the peer is trusted, aliases with them") {
    const HeaderNames names;
    for (const auto name : {"Forwarded",
                            "X-Real-IP",
                            "X-Real_IP",
                            "x.real~ip",
                            "X-Original-URL",
                            "X-Original-Host",
                            "X_ORIGINAL_URL",
                            "X-Original-",
                            "X-Rewrite-URL",
                            "X-Rewrite_Url",
                            "X-HTTP-Method-Override",
                            "X_HTTP_Method_Override",
                            "X-Forwarded-For",
                            "X-Forwarded-Proto",
                            "X-Forwarded-Host",
                            "X-Forwarded-Port",
                            "X-Forwarded-Prefix",
                            "X-Forwarded-Whatever",
                            "X_Forwarded_For",
                            "x-forwarded.host",
                            "X^Forwarded|For"}) {
        CAPTURE(name);
        CHECK(kind_of(names, name).drop != Drop::never);
    }
    CHECK(kind_of(names, "X-Forwarded-For").id == HeaderId::x_forwarded_for);
    CHECK(kind_of(names, "X-Forwarded-For").drop == Drop::unless_trusted);
    CHECK(kind_of(names, "X_Forwarded_For").id == HeaderId::other);
    // What we write ourselves would have an alias beside it, were a trusted peer's let through.
    for (const auto name : {"X_Forwarded_For", "x-forwarded_proto", "X.Forwarded~Host", "X_Request_Id"}) {
        CAPTURE(name);
        CHECK(kind_of(names, name).drop == Drop::always);
    }
    for (const auto name : {"X_Real_IP", "X_Forwarded_Port", "X-Original_URL"}) {
        CAPTURE(name);
        CHECK(kind_of(names, name).drop == Drop::unless_trusted);
    }
}

TEST_CASE("names that only look similar are left alone") {
    const HeaderNames names;
    for (const auto name :
         {"X-Forwarded", "XForwardedFor", "X-Original", "X-RealIP", "Forwarded-For", "Proxies",
          "Content-Type", "X-Auth-Subject", "Accept", "Hosts", "Content-Lengths", "X-Originals"}) {
        CAPTURE(name);
        CHECK(kind_of(names, name).drop == Drop::never);
        CHECK(kind_of(names, name).id == HeaderId::other);
    }
}

TEST_CASE("a name to remove goes in every spelling that a gateway could take for it") {
    HeaderNames names;
    names.remove("X-Auth-Subject", Drop::always);
    names.remove("X_Odd.Name", Drop::always);
    for (const auto name : {"X-Auth-Subject", "x-auth-subject", "X_Auth_Subject", "X-Auth_Subject",
                            "X.Auth~Subject", "x!auth#subject", "X-Odd-Name", "x_odd_name"}) {
        CAPTURE(name);
        CHECK(kind_of(names, name).drop == Drop::always);
    }
    for (const auto name :
         {"X-Auth-Subjects", "X-Auth-Subjec", "XAuthSubject", "X--Auth-Subject", "X-Auth-Subject-"}) {
        CAPTURE(name);
        CHECK(kind_of(names, name).drop == Drop::never);
    }
}

TEST_CASE("a final star removes all that begins so, whatever was known before or comes after") {
    for (const bool star_first : {true, false}) {
        HeaderNames names;
        if (star_first) names.remove("X-Auth-Request-*", Drop::always);
        names.remove("X-Auth-Request-User", Drop::unless_trusted);
        names.add_token_source("X-Auth-Request-Token", 0);
        if (!star_first) names.remove("X-Auth-Request-*", Drop::always);
        CAPTURE(star_first);
        for (const auto name : {"X-Auth-Request-User", "X-Auth-Request-Email", "x_auth_request_groups",
                                "X-Auth-Request-", "X-Auth-Request-Token"})
            CHECK(kind_of(names, name).drop == Drop::always);
        CHECK(kind_of(names, "X-Auth-Request-Token").token_source == 0);
        CHECK(kind_of(names, "X-Auth-Request").drop == Drop::never);
    }
}

TEST_CASE("the stronger of two orders to remove wins") {
    HeaderNames names;
    names.remove("X-A", Drop::always);
    names.remove("X-A", Drop::unless_trusted);
    names.remove("X-B", Drop::unless_trusted);
    names.remove("x_b", Drop::always);
    CHECK(kind_of(names, "X-A").drop == Drop::always);
    CHECK(kind_of(names, "X-B").drop == Drop::always);
    names.remove("X-Forwarded-User", Drop::always);
    CHECK(kind_of(names, "X-Forwarded-User").drop == Drop::always);
    CHECK(kind_of(names, "X-Forwarded-For").drop == Drop::unless_trusted);
}

TEST_CASE("token sources are known by name, aliases of theirs are dropped") {
    HeaderNames names;
    names.add_token_source("Authorization", 0);
    names.add_token_source("X-Token", 1);
    CHECK(kind_of(names, "authorization").token_source == 0);
    CHECK(kind_of(names, "authorization").id == HeaderId::authorization);
    CHECK(kind_of(names, "x-token").token_source == 1);
    CHECK(kind_of(names, "X_Token").token_source == -1);
    CHECK(kind_of(names, "X_Token").drop == Drop::always);
    CHECK(kind_of(names, "Host").token_source == -1);
}

TEST_CASE("a thousand names are all found") {
    HeaderNames names;
    for (int i = 0; i < 1000; ++i) names.remove("X-Name-" + std::to_string(i), Drop::always);
    for (int i = 0; i < 1000; ++i)
        if (kind_of(names, "x_name_" + std::to_string(i)).drop != Drop::always) FAIL_CHECK(i);
    CHECK(kind_of(names, "X-Name-1000").drop == Drop::never);
    CHECK(kind_of(names, "Host").id == HeaderId::host);
}

}  // namespace
}  // namespace signet::http
