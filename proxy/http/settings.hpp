// How messages are read, cleaned and answered: settings, immutable.
#pragma once

#include <string>
#include <vector>

#include "http/header_names.hpp"
#include "http/request_head.hpp"
#include "http/target.hpp"

namespace signet::http {

struct TokenHeader {
    std::string name;
    std::string value_prefix;
};

struct Extraction {
    std::vector<TokenHeader> headers{{"Authorization", "Bearer "}};
    std::vector<std::string> cookies;
    std::vector<std::string> params;
    bool forward = false;  // the upstream also gets the token
};

struct Csrf {
    bool enforce = true;
    std::vector<std::string> trusted_origins;  // scheme://host[:port], lower case
};

struct Answers {
    std::string realm = "signet";
    bool reasons = true;
};

struct Settings {
    HeaderNames names;
    HeadLimits limits;
    Extraction extraction;
    Csrf csrf;
    Answers answers;
    EncodedSlashes encoded_slashes = EncodedSlashes::reject;
};

}  // namespace signet::http
