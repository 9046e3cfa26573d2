#include "jose/base64url.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"

namespace signet::jose {
namespace {

using namespace std::literals;
using test::Exact;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

TEST_CASE("the test values of RFC 4648, without padding, go both ways") {
    struct Row {
        std::string_view bytes, text;
    };
    for (const auto& [bytes, text] : {Row{"", ""},
                                      {"f", "Zg"},
                                      {"fo", "Zm8"},
                                      {"foo", "Zm9v"},
                                      {"foob", "Zm9vYg"},
                                      {"fooba", "Zm9vYmE"},
                                      {"foobar", "Zm9vYmFy"},
                                      {"\xFB\xFF\xBF"sv, "-_-_"}}) {
        CAPTURE(bytes);
        CHECK(encode_base64url(bytes) == text);
        CHECK(decode_base64url(Exact(text).view()) == std::string(bytes));
    }
}

TEST_CASE("every byte string up to 70 bytes comes back") {
    std::string bytes;
    for (int size = 0; size <= 70; ++size) {
        const auto text = encode_base64url(bytes);
        CHECK(text.find_first_not_of(alphabet) == std::string::npos);
        CHECK(decode_base64url(Exact(text).view()) == bytes);
        bytes += static_cast<char>(size * 37 + 11);
    }
}

TEST_CASE("encoding appends to what is there") {
    std::string out = "kept:";
    encode_base64url("foo", out);
    CHECK(out == "kept:Zm9v");
}

TEST_CASE("of the last characters that give the same byte only one is taken") {
    // One byte: two characters, of which the second has four bits to spare; two bytes: two bits to spare.
    for (const auto& [head, spare] : {std::pair{"Z"sv, 4}, {"Zm"sv, 2}, {"AAAAZ"sv, 4}, {"AAAAZm"sv, 2}}) {
        for (std::size_t value = 0; value < 64; ++value) {
            const auto text = std::string(head) + alphabet[value];
            const bool canonical = value % (std::size_t{1} << spare) == 0;
            CAPTURE(text);
            const auto decoded = decode_base64url(Exact(text).view());
            CHECK(decoded.has_value() == canonical);
            if (decoded) CHECK(encode_base64url(*decoded) == text);
        }
    }
}

TEST_CASE("a foreign byte is refused wherever it stands") {
    for (const std::string_view good : {"Zg"sv, "Zm8"sv, "Zm9v"sv, "Zm9vYg"sv, "Zm9vYmE"sv, "Zm9vYmFy"sv}) {
        for (std::size_t at = 0; at < good.size(); ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                const char c = static_cast<char>(byte);
                if (alphabet.find(c) != std::string_view::npos) continue;
                std::string text(good);
                text[at] = c;
                CAPTURE(good, at, byte);
                // One assertion that costs something only where it fails: this loop is long.
                if (decode_base64url(Exact(text).view())) FAIL_CHECK("a foreign byte was taken");
            }
        }
    }
    SUCCEED();
}

TEST_CASE("padding is refused, and so is every length of 4n+1") {
    for (const auto text : {"Zg=="sv, "Zg="sv, "Zm8="sv, "Zm9v="sv, "Zm9v===="sv, "="sv, "=="sv, "===="sv,
                            "Z"sv, "Zm9vY"sv, "AAAAAAAAA"sv}) {
        CAPTURE(text);
        CHECK_FALSE(decode_base64url(Exact(text).view()));
    }
}

TEST_CASE("the size promised is never exceeded") {
    for (std::size_t size = 0; size < 200; ++size) {
        if (size % 4 == 1) continue;
        const std::string text(size, 'A');
        std::string out(decoded_size(size), 'x');
        const Exact exact(text);
        const auto written = decode_base64url(exact.view(), out.data());
        REQUIRE(written);
        CHECK(*written == size * 3 / 4);
        CHECK(*written <= decoded_size(size));
    }
}

}  // namespace
}  // namespace signet::jose
