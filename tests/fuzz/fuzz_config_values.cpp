// Any bytes as the scalars of a configuration: bounded results, and nothing substituted twice.
#include "config/values.hpp"
#include "fuzz/fuzz.hpp"

using namespace signet;
using namespace signet::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const Exact exact(text);
    constexpr std::int64_t most = std::int64_t{1} << 50;
    if (const auto duration = config::parse_duration(exact.view()))
        FUZZ_ASSERT(duration->count() >= 0 && duration->count() <= most);
    if (const auto bytes = config::parse_size(exact.view()))
        FUZZ_ASSERT(*bytes <= static_cast<std::size_t>(most));
    if (const auto address = config::parse_listen_address(exact.view())) FUZZ_ASSERT(!address->host.empty());
    if (const auto url = config::parse_url(exact.view())) {
        FUZZ_ASSERT(!url->host.empty() && url->port != 0);
        for (const char c : url->host)
            FUZZ_ASSERT(!is_control(c) && c != ' ' && c != '/' && c != '\\' && c != '@' && c != '%');
        // What was read is what stands there.
        const auto authority = (url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]");
        const auto port = ":" + std::to_string(url->port);
        FUZZ_ASSERT(text.find(authority + url->path) != std::string_view::npos ||
                    text.find(authority + ":" + url->path) != std::string_view::npos ||
                    text.find(port + url->path) != std::string_view::npos ||
                    text.find("0" + port.substr(1) + url->path) != std::string_view::npos);
        FUZZ_ASSERT(url->path.empty() || url->path.front() == '/');
        for (const char c : url->path) FUZZ_ASSERT(!is_control(c) && c != ' ');
    }
    // What a variable holds is data: it is not looked into again.
    const auto environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "UNSET") return std::nullopt;
        return name == "EMPTY" ? std::string() : std::string("${UNSET}$");
    };
    const auto substituted = config::substitute(exact.view(), environment);
    if (text.find('$') == std::string_view::npos) FUZZ_ASSERT(substituted && *substituted == text);
    std::string doubled;
    for (const char c : text) doubled.append(c == '$' ? 2 : 1, c);
    const auto plain = config::substitute(doubled, environment);
    FUZZ_ASSERT(plain && *plain == text);
    return 0;
}
