// Any bytes as JSON: what is read is written so that it reads the same, without any of what is refused.
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"

using namespace signet;
using namespace signet::fuzz;

namespace {

void visit(const json::Value& v, int depth) {
    FUZZ_ASSERT(depth <= 32);
    std::size_t count = 0;
    v.each_element([&](const json::Value& child) {
        FUZZ_ASSERT(v.at(count++).has_value());
        visit(child, depth + (child.is_array() || child.is_object() ? 1 : 0));
        return true;
    });
    v.each_member([&](std::string_view name, const json::Value& child) {
        ++count;
        // Names come once, so a look-up finds the very member.
        const auto found = v.find(name);
        FUZZ_ASSERT(found && *found == child);
        visit(child, depth + (child.is_array() || child.is_object() ? 1 : 0));
        return true;
    });
    if (v.is_array() || v.is_object()) FUZZ_ASSERT(count == v.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const Exact exact(text);

    // Any bytes can be written as a string.
    for (const bool ascii : {false, true}) {
        std::string quoted;
        json::write_string(quoted, exact.view(), ascii);
        json::Document document;
        FUZZ_ASSERT(document.parse(quoted));
        for (const char c : quoted)
            FUZZ_ASSERT(!is_control(c) && (!ascii || static_cast<unsigned char>(c) < 0x80));
    }
    (void)parse_time(exact.view());
    if (const auto ms = parse_time(exact.view()))
        FUZZ_ASSERT(parse_time(rfc3339(*ms)) == ms || *ms > 253402300799999);

    static thread_local json::Document used;
    json::Document fresh;
    const auto value = fresh.parse(exact.view());
    FUZZ_ASSERT(used.parse(exact.view()).has_value() == value.has_value());
    if (!value) {
        FUZZ_ASSERT(!value.error().message.empty());
        return 0;
    }
    visit(*value, value->is_array() || value->is_object() ? 1 : 0);
    for (const bool ascii : {true, false}) {
        std::string written;
        value->write(written, ascii);
        for (const char c : written) FUZZ_ASSERT(!is_control(c));
        json::Document again;
        const auto same = again.parse(written);
        FUZZ_ASSERT(same && *same == *value);
    }
    return 0;
}
