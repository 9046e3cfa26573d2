#include "policy/route_table.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace signet::policy {
namespace {

Route route(std::string name) {
    Route r;
    r.name = std::move(name);
    return r;
}

// The matching route's name, or "none".
std::string match(const RouteTable& table, std::string_view method, std::string_view host,
                  std::string_view path) {
    const auto index = table.match(method, host, path);
    return index ? table.at(*index).name : "none";
}

TEST_CASE("an empty table matches nothing: nothing is public by accident") {
    CHECK(match(RouteTable(), "GET", "a", "/") == "none");
    CHECK(RouteTable().size() == 0);
}

TEST_CASE("paths match exactly, prefixes by whole segments") {
    auto exact = route("exact"), admin = route("admin"), root = route("root");
    exact.path = "/healthz";
    admin.prefix = "/admin";
    const RouteTable table({exact, admin});
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"/healthz", "exact"}, {"/healthz/", "none"}, {"/healthz/x", "none"},  {"/HEALTHZ", "none"},
        {"/admin", "admin"},   {"/admin/", "admin"},  {"/admin/x/y", "admin"}, {"/administrator", "none"},
        {"/admin.x", "none"},  {"/Admin/x", "none"},  {"/", "none"},           {"*", "none"},
        {"/x/admin", "none"},
    };
    for (const auto& [path, expected] : rows) {
        CAPTURE(path);
        CHECK(match(table, "GET", "a", path) == expected);
    }
    const RouteTable all({root});  // neither path nor prefix: the root's prefix
    for (const auto path : {"/", "/x", "*", "/a/b/"}) CHECK(match(all, "GET", "a", path) == "root");
}

TEST_CASE("the first route that matches wins, a miss on the method goes on") {
    auto read = route("read"), write = route("write"), rest = route("rest");
    read.prefix = write.prefix = "/items";
    read.methods = {"GET"};
    write.methods = {"POST", "PUT"};
    const RouteTable table({read, write, rest});
    CHECK(match(table, "GET", "a", "/items/1") == "read");
    CHECK(match(table, "HEAD", "a", "/items/1") == "read");  // GET includes HEAD
    CHECK(match(table, "POST", "a", "/items/1") == "write");
    CHECK(match(table, "DELETE", "a", "/items/1") == "rest");
    CHECK(match(table, "get", "a", "/items/1") == "rest");
    CHECK(match(table, "GET", "a", "/other") == "rest");
    auto head = route("head");
    head.methods = {"HEAD"};
    CHECK(match(RouteTable({head}), "GET", "a", "/") == "none");
}

TEST_CASE("hosts match exactly or below a star") {
    auto named = route("named"), star = route("star");
    named.hosts = {"api.example.com", "127.0.0.1", "[::1]"};
    star.hosts = {"*.example.com"};
    const RouteTable table({named, star});
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"api.example.com", "named"}, {"127.0.0.1", "named"},
        {"[::1]", "named"},           {"x.example.com", "star"},
        {"a.b.example.com", "star"},  {"example.com", "none"},
        {".example.com", "none"},     {"xexample.com", "none"},
        {"example.com.evil", "none"}, {"", "none"},
        {"api.example.com.", "none"},
    };
    for (const auto& [host, expected] : rows) {
        CAPTURE(host);
        CHECK(match(table, "GET", host, "/") == expected);
    }
}

TEST_CASE("host, path and method must all match the same route") {
    auto r = route("r");
    r.hosts = {"a"};
    r.path = "/x";
    r.methods = {"PUT"};
    const RouteTable table({r});
    CHECK(match(table, "PUT", "a", "/x") == "r");
    CHECK(match(table, "PUT", "b", "/x") == "none");
    CHECK(match(table, "PUT", "a", "/y") == "none");
    CHECK(match(table, "GET", "a", "/x") == "none");
}

}  // namespace
}  // namespace signet::policy
