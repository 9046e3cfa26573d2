// Any bytes as an upstream's answer: what is let through reaches the client with one framing and no
// hop-by-hop field.
#include "fuzz/fuzz.hpp"
#include "http/response_head.hpp"

using namespace signet;
using namespace signet::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = text_of(data, size);
    const auto choice = take_choice(text);
    const bool to_head = (choice & 1) != 0;
    const std::string_view to_upgrade = (choice & 2) != 0 ? "websocket" : "";
    const http::ClientSide client{(choice & 4) == 0, (choice & 8) != 0};
    std::size_t scanned = 0;
    const auto end = http::find_head_end(text, scanned);
    const auto head_text = end.state == http::HeadEnd::State::complete ? text.substr(0, end.size) : text;
    const Exact exact(head_text);
    http::ResponseHead head;
    if (const char* wrong = http::parse_response_head(exact.view(), to_head, to_upgrade, head)) {
        FUZZ_ASSERT(*wrong != '\0');
        return 0;
    }
    FUZZ_ASSERT(head.status >= 100 && head.status <= 599);
    FUZZ_ASSERT(head.status != 101 || head.upgrade.size() == to_upgrade.size());
    FUZZ_ASSERT(!to_head || head.body == http::AnswerBody::none);
    if (head.body == http::AnswerBody::until_close) FUZZ_ASSERT(!head.keep_alive);
    if (end.state != http::HeadEnd::State::complete) return 0;  // only whole heads are ever parsed

    const auto delivery = http::delivery_for(head, client.http11);
    std::string buffer;
    http::make_client_head(buffer, head, delivery, client);
    scanned = 0;
    const auto sent = http::find_head_end(buffer, scanned);
    FUZZ_ASSERT(sent.state == http::HeadEnd::State::complete && sent.size == buffer.size());
    // What we add ourselves may be one field too many for a reader like ours.
    if (head.fields.size() + 2 > http::max_response_fields) return 0;
    http::ResponseHead again;
    FUZZ_ASSERT(http::parse_response_head(buffer, to_head, to_upgrade, again) == nullptr);
    FUZZ_ASSERT(again.status == head.status && again.reason == head.reason);
    if (client.http11 && head.status != 101) {
        // The client sees the body that there is, framed so that it cannot be taken for anything else.
        const bool same = head.body == again.body || (head.body == http::AnswerBody::until_close &&
                                                      again.body == http::AnswerBody::chunked);
        FUZZ_ASSERT(same);
        if (head.body == http::AnswerBody::length) FUZZ_ASSERT(again.content_length == head.content_length);
        FUZZ_ASSERT(again.keep_alive != client.close || head.is_interim());
    }
    FUZZ_ASSERT(!again.keep_alive_timeout);
    return 0;
}
