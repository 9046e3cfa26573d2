// Any bytes as the start of a connection: where the head ends does not depend on how the bytes come, and a
// head that is let through reads the same when it goes upstream.
#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "http/credential.hpp"
#include "http/csrf.hpp"
#include "http/upstream_head.hpp"

using namespace signet;
using namespace signet::fuzz;
using http::HeadEnd;

namespace {

const http::Settings& settings() {
    static const http::Settings s = [] {
        http::Settings out;
        out.names.add_token_source("Authorization", 0);
        out.names.remove("X-Auth-Subject", http::Drop::always);
        out.extraction.cookies = {"t"};
        out.extraction.params = {"t"};
        return out;
    }();
    return s;
}

void check_split(std::string_view text, std::size_t at) {
    std::size_t scanned = 0, scanned_whole = 0;
    const Exact exact(text), front(text.substr(0, at));
    const auto whole = http::find_head_end(exact.view(), scanned_whole);
    auto end = http::find_head_end(front.view(), scanned);
    FUZZ_ASSERT(scanned <= at);
    if (end.state == HeadEnd::State::incomplete) end = http::find_head_end(exact.view(), scanned);
    FUZZ_ASSERT(end.state == whole.state && end.size == whole.size);
}

void check_upstream(const http::RequestHead& head, const http::Target& target, bool is_public, bool trusted) {
    std::string buffer;
    const http::Peer peer{"192.0.2.1", trusted, false};
    (void)http::check_csrf(head, http::scheme_of(head, peer), settings().csrf);
    (void)http::kept_request_id(head, trusted);
    http::make_upstream_head(buffer, head, target, policy::Allow::anonymous(is_public), peer, "id", {},
                             settings());
    // The upstream finds one head, with the same framing, nothing that was to go, and nothing twice.
    std::size_t scanned = 0;
    const auto end = http::find_head_end(buffer, scanned);
    FUZZ_ASSERT(end.state == HeadEnd::State::complete && end.size == buffer.size());
    if (!head.http11 && head.host.empty()) return;  // HTTP/1.0 without a Host has none to pass on
    http::RequestHead again;
    const auto wrong = http::parse_request_head(buffer, settings().names, {1 << 20, 1000}, again);
    FUZZ_ASSERT(!wrong);
    FUZZ_ASSERT(again.method == head.method && again.body == head.body &&
                again.content_length == head.content_length);
    FUZZ_ASSERT(again.host == head.host && again.upgrade == head.upgrade);
    int request_ids = 0, forwarded_for = 0;
    for (const auto& f : again.fields) {
        FUZZ_ASSERT(!http::flat_equal(f.name, "X-Auth-Subject") && !http::flat_equal(f.name, "Proxy"));
        FUZZ_ASSERT(
            std::none_of(f.value.begin(), f.value.end(), [](char c) { return is_control(c) && c != '\t'; }));
        request_ids += http::flat_equal(f.name, "X-Request-Id") ? 1 : 0;
        forwarded_for += http::flat_equal(f.name, "X-Forwarded-For") ? 1 : 0;
    }
    FUZZ_ASSERT(request_ids == 1);
    FUZZ_ASSERT(trusted ? forwarded_for >= 1 : forwarded_for == 1);
    if (is_public) return;
    std::string decoded;
    http::Target upstream_target;
    FUZZ_ASSERT(!http::normalise_target(again.path_and_query, http::EncodedSlashes::keep, upstream_target));
    FUZZ_ASSERT(upstream_target.path == target.path);
    const auto left = http::find_credential(again, upstream_target.query, settings().extraction, decoded);
    FUZZ_ASSERT(!left.found);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    for (const std::size_t at :
         {std::size_t{0}, size / 3, size / 2, size - std::min<std::size_t>(size, 1), size})
        check_split(text, at);

    std::size_t scanned = 0;
    const auto end = http::find_head_end(text, scanned);
    if (end.state != HeadEnd::State::complete) return 0;
    const Exact exact(text.substr(0, end.size));
    http::RequestHead head;
    const auto wrong = http::parse_request_head(exact.view(), settings().names, {}, head);
    if (wrong) {
        FUZZ_ASSERT(wrong->status >= 400 && wrong->status < 600);
        FUZZ_ASSERT(wrong->detail != nullptr && *wrong->detail != '\0');
        return 0;
    }
    FUZZ_ASSERT(http::is_token(head.method));
    FUZZ_ASSERT(!head.http11 || http::is_valid_host(head.host));
    FUZZ_ASSERT(head.body == http::BodyKind::length ? head.content_length != 0 : true);
    FUZZ_ASSERT(head.upgrade.empty() || head.body == http::BodyKind::none);
    int lengths = 0, codings = 0, hosts = 0;
    for (const auto& f : head.fields) {
        FUZZ_ASSERT(http::is_token(f.name));
        lengths += f.kind.id == http::HeaderId::content_length ? 1 : 0;
        codings += f.kind.id == http::HeaderId::transfer_encoding ? 1 : 0;
        hosts += f.kind.id == http::HeaderId::host ? 1 : 0;
    }
    FUZZ_ASSERT(lengths + codings <= 1 && hosts <= 1);
    http::Target target;
    if (http::normalise_target(head.path_and_query, http::EncodedSlashes::reject, target)) return 0;
    for (const bool is_public : {false, true})
        for (const bool trusted : {false, true}) check_upstream(head, target, is_public, trusted);
    return 0;
}
