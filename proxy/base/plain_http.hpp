// A small HTTP message as values: what the admin and health listeners are asked and answer. The request's
// path has its own, faster ones in http/.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace signet {

struct PlainRequest {
    std::string method;
    std::string target;  // path and query
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    // The first of that name, compared without case; empty where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const {
        for (const auto& [n, value] : headers)
            if (iequals(n, name)) return value;
        return {};
    }
    [[nodiscard]] std::string_view path() const {
        return std::string_view(target).substr(0, target.find('?'));
    }
};

struct PlainResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
};

using Reply = std::function<void(PlainResponse)>;  // called once, from any thread
using PlainHandler = std::function<void(PlainRequest, Reply)>;

}  // namespace signet
