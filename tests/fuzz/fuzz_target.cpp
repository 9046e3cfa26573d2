// Any bytes as a request target: the normal form is final, and no reader finds a dot segment or a second
// slash in it.
#include "fuzz/fuzz.hpp"
#include "http/target.hpp"
#include "policy/route_table.hpp"

using namespace signet;
using namespace signet::fuzz;
using http::EncodedSlashes;

namespace {

bool has_segment(std::string_view path, std::string_view segment) {
    for (std::size_t from = 0; from < path.size();) {
        const auto end = std::min(path.find('/', from), path.size());
        if (path.substr(from, end - from) == segment) return true;
        from = end + 1;
    }
    return false;
}

void check(std::string_view text, EncodedSlashes slashes) {
    const Exact exact(text);
    http::Target out;
    if (const auto wrong = http::normalise_target(exact.view(), slashes, out)) {
        FUZZ_ASSERT(wrong->status == 400 && *wrong->detail != '\0');
        return;
    }
    const auto question = text.find('?');
    FUZZ_ASSERT(out.query ==
                (question == std::string_view::npos ? std::string_view() : text.substr(question)));
    if (out.path == "*") return;
    for (const auto path : {out.path, out.match_path}) {
        FUZZ_ASSERT(path.starts_with('/'));
        FUZZ_ASSERT(path.find("//") == std::string_view::npos);
        FUZZ_ASSERT(!has_segment(path, ".") && !has_segment(path, ".."));
        for (const char c : path)
            FUZZ_ASSERT(!is_control(c) && static_cast<unsigned char>(c) < 0x80 && c != ' ' && c != '\\' &&
                        c != '#');
        FUZZ_ASSERT(slashes == EncodedSlashes::keep || path.find("%2F") == std::string_view::npos);
        FUZZ_ASSERT(path.find("%2f") == std::string_view::npos &&
                    path.find("%2E") == std::string_view::npos && path.find("%5C") == std::string_view::npos);
    }
    FUZZ_ASSERT(out.match_path.find(';') == std::string_view::npos);
    // Normalising is idempotent.
    const std::string path(out.path), match(out.match_path);
    http::Target again;
    FUZZ_ASSERT(!http::normalise_target(path, slashes, again));
    FUZZ_ASSERT(again.path == path && again.match_path == match);
    // Who cuts parameters off what the upstream gets, and merges slashes, sees what the routes saw.
    std::string cut;
    for (std::size_t i = 0; i < path.size();) {
        const auto end = std::min(path.find('/', i + 1), path.size());
        const auto segment = std::string_view(path).substr(i, end - i);
        cut += segment.substr(0, segment.find(';'));
        i = end;
    }
    http::Target merged;
    FUZZ_ASSERT(!http::normalise_target(cut, slashes, merged));
    FUZZ_ASSERT(merged.path == match);
    // A prefix covers whole segments only.
    policy::Route admin;
    admin.prefix = "/admin";
    const policy::RouteTable table({admin});
    FUZZ_ASSERT(table.match("GET", "h", match).has_value() ==
                (match == "/admin" || match.starts_with("/admin/")));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    // What parse_request_head lets through as path_and_query.
    if (!text.empty() && text.front() != '/' && text.front() != '?' && text != "*") return 0;
    check(text, EncodedSlashes::reject);
    check(text, EncodedSlashes::keep);
    return 0;
}
