// The fuzz targets' seeds, and every beginning of each, as an ordinary test: what the targets assert holds in
// every build.
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Each target's entry point, renamed by CMake so that they fit into one program.
extern "C" {
int fuzz_chunked(const std::uint8_t*, std::size_t);
int fuzz_claim_rules(const std::uint8_t*, std::size_t);
int fuzz_claims(const std::uint8_t*, std::size_t);
int fuzz_config_values(const std::uint8_t*, std::size_t);
int fuzz_cookie(const std::uint8_t*, std::size_t);
int fuzz_header(const std::uint8_t*, std::size_t);
int fuzz_json(const std::uint8_t*, std::size_t);
int fuzz_jwe(const std::uint8_t*, std::size_t);
int fuzz_jwk_set(const std::uint8_t*, std::size_t);
int fuzz_request_head(const std::uint8_t*, std::size_t);
int fuzz_response_head(const std::uint8_t*, std::size_t);
int fuzz_target(const std::uint8_t*, std::size_t);
int fuzz_token(const std::uint8_t*, std::size_t);
}

namespace {

void replay(const std::string& name, int (*target)(const std::uint8_t*, std::size_t)) {
    std::size_t seeds = 0;
    for (const auto& file : std::filesystem::directory_iterator(SIGNET_FUZZ_CORPUS + ("/" + name))) {
        std::ifstream in(file.path(), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        CAPTURE(name, file.path().filename().string());
        const std::vector<std::uint8_t> bytes(text.begin(), text.end());
        // A target that finds something ends the process; Catch then tells which seed it was.
        const std::size_t step = bytes.size() / 200 + 1;
        for (std::size_t size = 0; size < bytes.size(); size += step) target(bytes.data(), size);
        CHECK(target(bytes.data(), bytes.size()) == 0);
        ++seeds;
    }
    CHECK(seeds >= 5);
}

TEST_CASE("chunked") { replay("chunked", fuzz_chunked); }
TEST_CASE("claim_rules") { replay("claim_rules", fuzz_claim_rules); }
TEST_CASE("claims") { replay("claims", fuzz_claims); }
TEST_CASE("config_values") { replay("config_values", fuzz_config_values); }
TEST_CASE("cookie") { replay("cookie", fuzz_cookie); }
TEST_CASE("header") { replay("header", fuzz_header); }
TEST_CASE("json") { replay("json", fuzz_json); }
TEST_CASE("jwe") { replay("jwe", fuzz_jwe); }
TEST_CASE("jwk_set") { replay("jwk_set", fuzz_jwk_set); }
TEST_CASE("request_head") { replay("request_head", fuzz_request_head); }
TEST_CASE("response_head") { replay("response_head", fuzz_response_head); }
TEST_CASE("target") { replay("target", fuzz_target); }
TEST_CASE("token") { replay("token", fuzz_token); }

}  // namespace
