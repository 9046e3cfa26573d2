// A request head from text, with the bytes that it views.
#pragma once

#include <optional>
#include <string_view>

#include "http/request_head.hpp"
#include "unit/support/exact.hpp"

namespace signet::test {

struct Parsed {
    explicit Parsed(std::string_view text, const http::HeaderNames& names = http::HeaderNames(),
                    http::HeadLimits limits = {})
        : bytes(text), wrong(http::parse_request_head(bytes.view(), names, limits, head)) {}

    Exact bytes;
    http::RequestHead head;
    std::optional<http::BadRequest> wrong;
};

}  // namespace signet::test
