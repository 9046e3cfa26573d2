// Any bytes as a Cookie field: what is removed is gone, what is not stays byte for byte.
#include <vector>

#include "fuzz/fuzz.hpp"
#include "http/cookie.hpp"

using namespace signet;
using namespace signet::fuzz;

namespace {

struct Pair {
    std::string name, value;
    friend bool operator==(const Pair&, const Pair&) = default;
};

template <class Keep>
std::vector<Pair> pairs(std::string_view field, Keep&& keep) {
    std::vector<Pair> out;
    http::for_each_cookie(field, [&](const http::CookiePair& c) {
        if (keep(c.name)) out.push_back({std::string(c.name), std::string(c.value)});
    });
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const Exact exact(text);
    const auto is_token = [](std::string_view name) { return name == "t"; };
    const auto others = [](std::string_view name) { return name != "t"; };

    const auto rest = http::without_cookies(exact.view(), is_token);
    FUZZ_ASSERT(rest.size() <= text.size());
    const auto before = pairs(exact.view(), others),
               after = pairs(rest, [](std::string_view) { return true; });
    if (before.empty())
        FUZZ_ASSERT(rest.empty());
    else
        FUZZ_ASSERT(before == after);
    FUZZ_ASSERT(http::without_cookies(rest, is_token) == rest);
    FUZZ_ASSERT(http::without_cookies(exact.view(), [](std::string_view) { return false; }) == text);
    FUZZ_ASSERT(http::without_cookies(exact.view(), [](std::string_view) { return true; }).empty());
    if (pairs(exact.view(), is_token).empty()) FUZZ_ASSERT(rest == text);
    return 0;
}
