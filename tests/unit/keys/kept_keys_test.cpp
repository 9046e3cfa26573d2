#include "keys/kept_keys.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "jose/digest.hpp"

namespace signet::keys {
namespace {

using namespace std::literals;

constexpr WallTime fetched{std::chrono::hours(500'000)};

Settings settings() {
    Settings s;
    s.name = "idp.example.com";
    s.issuer = "https://idp.example.com/realms/prod";
    s.kind = SourceKind::discovery;
    s.max_stale = std::chrono::hours(24);
    return s;
}

KeptKeys sample() {
    return {"{\"keys\": [\"\\u00e9 \xc3\xa9 \\\\\"]}\n", fetched, "https://idp.example.com/jwks",
            fetched - 1s};
}

std::string why_not(const Settings& s, const std::string& text, WallTime now) {
    const auto parsed = parse_kept_file(s, text, now);
    return parsed ? "taken" : parsed.error().message;
}

TEST_CASE("what was kept comes back as it was") {
    const auto text = kept_file_text(settings(), sample());
    const auto back = parse_kept_file(settings(), text, fetched + 1h);
    REQUIRE(back.has_value());
    CHECK(back->text == sample().text);
    CHECK((back->fetched_at == fetched));
    CHECK(back->jwks_uri == sample().jwks_uri);
    CHECK((back->discovered_at == sample().discovered_at));
    auto without = sample();
    without.discovered_at.reset();
    const auto second = parse_kept_file(settings(), kept_file_text(settings(), without), fetched);
    REQUIRE(second.has_value());
    CHECK_FALSE(second->discovered_at.has_value());
}

TEST_CASE("it serves until max_stale and not from the future") {
    const auto text = kept_file_text(settings(), sample());
    CHECK(why_not(settings(), text, fetched + 24h - 1ms) == "taken");
    CHECK(why_not(settings(), text, fetched + 24h) == "it is older than max_stale");
    CHECK(why_not(settings(), text, fetched - 5min) == "taken");
    CHECK(why_not(settings(), text, fetched - 5min - 1ms) == "it is from the future; is the clock right?");
    auto shorter = settings();
    shorter.max_stale = 1s;
    CHECK(why_not(shorter, text, fetched + 2s) == "it is older than max_stale");
}

TEST_CASE("another issuer's, or from another source, it is not used") {
    const auto text = kept_file_text(settings(), sample());
    auto other = settings();
    other.issuer += "/";
    CHECK(why_not(other, text, fetched) == "it is another issuer's");
    other = settings();
    other.kind = SourceKind::jwks_uri;
    other.location = "https://idp.example.com/jwks";
    CHECK(why_not(other, text, fetched) == "its keys came from another source than the one configured");
    auto renamed = settings();
    renamed.name = "prod";
    CHECK(why_not(renamed, text, fetched) == "taken");
}

TEST_CASE("no bit may be lost, changed or added") {
    const auto text = kept_file_text(settings(), sample());
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        CAPTURE(i);
        CHECK(why_not(settings(), changed, fetched) != "taken");
        CHECK(why_not(settings(), text.substr(0, i), fetched) != "taken");
    }
    CHECK(why_not(settings(), text + "\n", fetched) != "taken");
}

TEST_CASE("a right digest over wrong content helps nobody") {
    for (const auto* body :
         {"", "[]", "{}", "{\"issuer\":1}",
          R"({"issuer":"https://idp.example.com/realms/prod","source":"discovery"})",
          R"({"issuer":"https://idp.example.com/realms/prod","source":"discovery","keys":"",)"
          R"("jwks_uri":"","fetched_at":"1"})"}) {
        CAPTURE(body);
        const auto text = "signet keys 1 " + jose::sha256_hex(body) + "\n" + body;
        CHECK(why_not(settings(), text, fetched) != "taken");
    }
}

TEST_CASE("the trust that keys came by is part of their source; how often they are fetched is not") {
    for (const auto change :
         {+[](Settings& s) { s.ca_file = "/etc/ca.pem"; }, +[](Settings& s) { s.allow_http = true; },
          +[](Settings& s) { s.allow_link_local = true; }, +[](Settings& s) { s.issuer += "x"; },
          +[](Settings& s) { s.kind = SourceKind::jwks_uri; }}) {
        auto other = settings();
        change(other);
        CHECK_FALSE(same_source(settings(), other));
        CHECK(why_not(other, kept_file_text(settings(), sample()), fetched) != "taken");
    }
    auto other = settings();
    other.refresh_interval = 5s;
    other.max_stale = 48h;
    other.bearer_token_file = "/run/token";
    other.name = "another label";
    CHECK(same_source(settings(), other));
    auto local = settings();
    local.kind = SourceKind::jwks_file;
    CHECK_FALSE(same_source(settings(), local));
    CHECK_FALSE(same_source(local, local));
}

TEST_CASE("a discovery from the future is not believed, the keys are") {
    auto kept = sample();
    kept.discovered_at = fetched + 6min;
    const auto back = parse_kept_file(settings(), kept_file_text(settings(), kept), fetched);
    REQUIRE(back.has_value());
    CHECK_FALSE(back->discovered_at.has_value());
}

TEST_CASE("a file's name tells the issuer, leads nowhere else, and is a source's own") {
    auto s = settings();
    CHECK(kept_file_name(s).starts_with("idp.example.com_realms_prod-"));
    s.name = "another label";
    CHECK(kept_file_name(s) == kept_file_name(settings()));
    s.issuer = "../../etc/passwd\n\0x"s;
    CHECK(kept_file_name(s).find_first_of("/\n\0"s) == std::string::npos);
    auto other = settings();
    other.issuer += "2";
    CHECK(kept_file_name(other) != kept_file_name(settings()));
    other = settings();
    other.kind = SourceKind::jwks_uri;
    CHECK(kept_file_name(other) != kept_file_name(settings()));
    other.issuer = std::string(5000, 'x');
    CHECK(kept_file_name(other).size() < 120);
}

}  // namespace
}  // namespace signet::keys
