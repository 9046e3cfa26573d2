// Takes chunked framing off what stands in a buffer, and puts ours on.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "http/chunked.hpp"
#include "net/buffer.hpp"

namespace signet::net {

struct Unchunked {
    std::string_view data;     // moved together at the front of the buffer; good until the buffer changes
    std::size_t consumed = 0;  // to be consumed once data has been written
    bool done = false;
    const char* error = nullptr;
};

inline Unchunked unchunk(http::ChunkedReader& reader, Buffer& buffer) {
    Unchunked out;
    const auto all = buffer.bytes();
    char* const front = const_cast<char*>(all.data());  // the buffer's own memory
    std::size_t kept = 0;
    while (out.consumed < all.size() || reader.done()) {
        const auto step = reader.next(all.substr(out.consumed));
        if (step.error != nullptr) {
            out.error = step.error;
            break;
        }
        if (!step.data.empty()) std::memmove(front + kept, step.data.data(), step.data.size());
        kept += step.data.size();
        out.consumed += step.consumed;
        if (step.done) {
            out.done = true;
            break;
        }
        if (step.consumed == 0) break;
    }
    out.data = {front, kept};
    return out;
}

// "1f4\r\n"
inline void append_chunk_size(std::string& out, std::size_t size) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, size, 16).ptr;
    out.append(text, static_cast<std::size_t>(end - text)).append("\r\n", 2);
}

}  // namespace signet::net
