// Nicolas Seriot's JSON test suite against the strict reader.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "unit/support/exact.hpp"
#include "unit/support/json_text.hpp"
#include "unit/vectors/vectors.hpp"

namespace signet::test {
namespace {

TEST_CASE("what must parse parses, what must not does not, the rest is the same each time") {
    int must = 0, must_not = 0, either = 0;
    json::Document used;  // one that has read everything before
    for (const auto& file :
         std::filesystem::directory_iterator(vectors_folder() + "/json-parsing/test_parsing")) {
        const auto name = file.path().filename().string();
        const auto text = read_file(file.path().string());
        const Exact exact(text);
        json::Document fresh;
        const bool parsed = fresh.parse(exact.view()).has_value();
        CAPTURE(name);
        CHECK(used.parse(exact.view()).has_value() == parsed);
        if (name.starts_with("y_object_duplicated_key")) {
            CHECK_FALSE(parsed);
        } else if (name.starts_with("y_")) {
            CHECK(parsed);
            ++must;
        } else if (name.starts_with("n_")) {
            CHECK_FALSE(parsed);
            ++must_not;
        } else {
            const bool admitted =
                name == "i_number_double_huge_neg_exp.json" || name == "i_number_real_underflow.json";
            CHECK(parsed == admitted);
            ++either;
        }
        if (!parsed) continue;
        // What was read is written so that it reads the same.
        std::string written;
        const auto value = fresh.parse(exact.view());
        value->write(written, true);
        CHECK(std::all_of(written.begin(), written.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
        const Json again(written);
        CHECK(*again == *value);
    }
    CHECK(must >= 90);
    CHECK(must_not >= 180);
    CHECK(either >= 30);
}

}  // namespace
}  // namespace signet::test
