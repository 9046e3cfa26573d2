#include "http/chunked.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "unit/support/exact.hpp"

namespace signet::http {
namespace {

using namespace std::literals;
using test::Exact;

struct Outcome {
    std::string body;
    std::string error;
    bool done = false;
    std::size_t consumed = 0;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Feeds the pieces as a connection would: each until nothing more of it is taken.
Outcome read(std::initializer_list<std::string_view> pieces) {
    ChunkedReader reader;
    Outcome out;
    for (const auto piece : pieces) {
        const Exact exact(piece);
        auto rest = exact.view();
        while (true) {
            const auto step = reader.next(rest);
            out.body += step.data;
            out.consumed += step.consumed;
            if (step.error != nullptr) {
                out.error = step.error;
                return out;
            }
            rest.remove_prefix(step.consumed);
            out.done = reader.done();
            CHECK(step.done == reader.done());
            if (step.done || step.consumed == 0 || rest.empty()) break;
        }
        if (out.done) break;
    }
    return out;
}

TEST_CASE("chunked bodies are read to their end and no further") {
    struct Row {
        std::string_view text, body;
        std::size_t left;
    };
    for (const auto& row : {Row{"0\r\n\r\n", "", 0},
                            {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
                            {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "hello world", 16},
                            {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0},
                            {"A\r\n0123456789\r\n00\r\n\r\n", "0123456789", 0},
                            {"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello", 0},
                            {"5;a=b;c=\"d\"\r\nhello\r\n0;last\r\n\r\n", "hello", 0},
                            {"5;\r\nhello\r\n0\r\n\r\n", "hello", 0},
                            {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0},
                            {"3\r\n0\r\n\r\n0\r\n\r\n", "0\r\n", 0},
                            {"5\r\nhello\r\n0\r\nX-Trailer: y\r\nZ: \r\n\r\n0\r\n\r\n", "hello", 5}}) {
        const auto out = read({row.text});
        CAPTURE(row.text);
        CHECK(out.error.empty());
        CHECK(out.done);
        CHECK(out.body == row.body);
        CHECK(out.consumed == row.text.size() - row.left);
    }
}

TEST_CASE("every way to split the bytes gives the same body") {
    for (const auto text : {"5\r\nhello\r\n6;ext=\"x\"\r\n world\r\n0\r\nTrailer: z\r\n\r\n"sv,
                            "10\r\n0123456789abcdef\r\n0\r\n\r\nGET /"sv, "5\r\nhelloX"sv,
                            "5\r\nhello\r\nzz\r\n"sv, "1\r\na\r\n0\r\n\r\n"sv, "1\r\na\r\n0\r\nA\x01"sv}) {
        const auto whole = read({text});
        for (std::size_t i = 0; i <= text.size(); ++i) {
            CAPTURE(text, i);
            CHECK(read({text.substr(0, i), text.substr(i)}) == whole);
            for (std::size_t j = i; j <= text.size(); j += 3)
                if (!(read({text.substr(0, i), text.substr(i, j - i), text.substr(j)}) == whole)) {
                    CAPTURE(j);
                    FAIL_CHECK("three pieces differ");
                }
        }
        ChunkedReader reader;
        Outcome one_by_one;
        for (std::size_t i = 0; i < text.size() && one_by_one.error.empty() && !reader.done(); ++i) {
            const Exact byte(text.substr(i, 1));
            const auto step = reader.next(byte.view());
            one_by_one.body += step.data;
            one_by_one.consumed += step.consumed;
            one_by_one.done = step.done;
            if (step.error != nullptr) one_by_one.error = step.error;
        }
        CHECK(one_by_one == whole);
    }
}

TEST_CASE("sizes that two readers could understand differently are refused") {
    for (const auto text : {"\r\n"sv,
                            ";x\r\n"sv,
                            "+5\r\nhello\r\n"sv,
                            "-5\r\nhello\r\n"sv,
                            "0x5\r\nhello\r\n"sv,
                            " 5\r\nhello\r\n"sv,
                            "5 \r\nhello\r\n"sv,
                            "5\t\r\nhello\r\n"sv,
                            "5 ;x\r\nhello\r\n"sv,
                            "g\r\n"sv,
                            "5h\r\n"sv,
                            "5,5\r\n"sv,
                            "5.0\r\n"sv,
                            "5_0\r\n"sv,
                            "5\nhello\n"sv,
                            "5\r\r\nhello\r\n"sv,
                            "5\rhello"sv,
                            "00000000000000005\r\nhello\r\n"sv,
                            "11111111111111111\r\n"sv,
                            "FFFFFFFFFFFFFFFF\r\n"sv,
                            "8000000000000000\r\n"sv,
                            "4000000000000001\r\n"sv,
                            "FFFFFFFFFFFFFFFF5\r\n"sv,
                            "\0"
                            "5\r\n"sv,
                            "5\0\r\n"sv,
                            "\xEF\xBC\x95\r\n"sv,
                            "5\x80\r\n"sv}) {
        const auto out = read({text});
        CAPTURE(text);
        CHECK_FALSE(out.error.empty());
        CHECK_FALSE(out.done);
        CHECK(out.body.empty());
    }
    CHECK(read({"4000000000000000\r\nx"}).error.empty());
}

TEST_CASE("data ends in CRLF where its size says, neither sooner nor later") {
    for (const auto text : {"5\r\nhelloX"sv, "5\r\nhello\nX"sv, "5\r\nhello\rX"sv, "5\r\nhello\r\r\n"sv,
                            "5\r\nhello!\r\n"sv, "4\r\nhello\r\n"sv, "5\r\nhell\r\n0\r\n\r\n"sv}) {
        const auto out = read({text});
        CAPTURE(text);
        CHECK_FALSE(out.error.empty());
        CHECK(out.body.size() <= 5);
    }
}

TEST_CASE("extensions hold no control character and are bounded in each line") {
    for (const auto text : {"5;a\nb\r\nhello\r\n"sv, "5;a\0b\r\n"sv, "5;\x1B\r\n"sv, "5;a\rb\r\n"sv,
                            "5;\x7F\r\n"sv, "0;\n\r\n"sv}) {
        CAPTURE(text);
        CHECK_FALSE(read({text}).error.empty());
    }
    CHECK(read({"5;a\tb \xC3\xA9\r\nhello\r\n0\r\n\r\n"}).done);
    const auto with_extension = [](std::size_t size) { return "1;" + std::string(size, 'x') + "\r\na\r\n"; };
    CHECK(read({with_extension(256) + with_extension(256) + "0\r\n\r\n"}).done);
    CHECK_FALSE(read({with_extension(257)}).error.empty());
    CHECK_FALSE(read({"5;" + std::string(1'000'000, 'x')}).error.empty());
    CHECK_FALSE(read({"0;" + std::string(257, 'x') + "\r\n\r\n"}).error.empty());
}

TEST_CASE("trailers hold no control character, have names, and are bounded together") {
    for (const auto text :
         {"0\r\n X: y\r\n\r\n"sv, "0\r\n\tX: y\r\n\r\n"sv, "0\r\n: y\r\n\r\n"sv, "0\r\nX: a\0b\r\n\r\n"sv,
          "0\r\nX: a\nY: b\r\n\r\n"sv, "0\r\nX: a\rY\r\n\r\n"sv, "0\r\n\rX"sv, "0\r\nX: y\r\n z\r\n\r\n"sv,
          "0\r\n\n"sv, "0\r\nX\x7F: y\r\n\r\n"sv}) {
        const auto out = read({text});
        CAPTURE(text);
        CHECK_FALSE(out.error.empty());
        CHECK_FALSE(out.done);
    }
    CHECK(read({"0\r\nX: " + std::string(8000, 'y') + "\r\n\r\n"}).done);
    CHECK_FALSE(read({"0\r\nX: " + std::string(8200, 'y') + "\r\n\r\n"}).error.empty());
    std::string many = "0\r\n";
    for (int i = 0; i < 10'000; ++i) many += "X:\r\n";
    CHECK_FALSE(read({many + "\r\n"}).error.empty());
}

TEST_CASE("after the end nothing is taken") {
    ChunkedReader reader;
    REQUIRE(reader.next("0\r\n\r\n").done);
    const auto after = reader.next("5\r\nhello\r\n");
    CHECK(after.done);
    CHECK(after.consumed == 0);
    CHECK(after.data.empty());
    CHECK(after.error == nullptr);
}

TEST_CASE("a body that is cut is never done") {
    const auto text = "5\r\nhello\r\n0\r\nX: y\r\n\r\n"sv;
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto out = read({text.substr(0, size)});
        CAPTURE(size);
        CHECK_FALSE(out.done);
        CHECK(out.error.empty());
        CHECK(out.consumed == size);
    }
}

}  // namespace
}  // namespace signet::http
