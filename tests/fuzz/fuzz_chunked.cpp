// Any bytes as a chunked body: the same result however they are split, and never more data than came in.
#include "fuzz/fuzz.hpp"
#include "http/chunked.hpp"

using namespace signet;
using namespace signet::fuzz;

namespace {

struct Outcome {
    std::string body;
    std::size_t consumed = 0;
    bool done = false;
    bool failed = false;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view text, std::size_t piece) {
    http::ChunkedReader reader;
    Outcome out;
    while (out.consumed < text.size() && !out.done && !out.failed) {
        const Exact exact(text.substr(out.consumed, piece));
        auto rest = exact.view();
        while (true) {
            const auto step = reader.next(rest);
            FUZZ_ASSERT(step.consumed <= rest.size());
            FUZZ_ASSERT(step.data.size() <= step.consumed);
            FUZZ_ASSERT(step.done == reader.done());
            out.body += step.data;
            out.consumed += step.consumed;
            out.done = step.done;
            out.failed = step.error != nullptr;
            rest.remove_prefix(step.consumed);
            if (out.done || out.failed || step.consumed == 0 || rest.empty()) break;
        }
        FUZZ_ASSERT(out.done || out.failed || rest.empty());
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const auto whole = read(text, text.size());
    FUZZ_ASSERT(!(whole.done && whole.failed));
    FUZZ_ASSERT(whole.body.size() <= text.size());
    for (const std::size_t piece : {1u, 2u, 3u, 7u}) FUZZ_ASSERT(read(text, piece) == whole);
    if (!whole.done) return 0;
    // What ends the body is an empty line; what follows is the next request's and not looked at.
    FUZZ_ASSERT(text.substr(0, whole.consumed).ends_with("\r\n"));
    FUZZ_ASSERT(read(text.substr(0, whole.consumed), text.size()) == whole);
    FUZZ_ASSERT(read(std::string(text.substr(0, whole.consumed)) + "0\r\n\r\n", text.size() + 8) == whole);
    // The same data, written anew in one chunk, reads the same.
    char head[32];
    const int length = std::snprintf(head, sizeof head, "%zx\r\n", whole.body.size());
    const auto anew =
        (whole.body.empty() ? std::string()
                            : std::string(head, static_cast<std::size_t>(length)) + whole.body + "\r\n") +
        "0\r\n\r\n";
    FUZZ_ASSERT(read(anew, anew.size()).body == whole.body);
    return 0;
}
