// The HTTP proxy that key fetches over https go through, by the environment's HTTPS_PROXY and NO_PROXY as
// curl and Go read them. Values only; jwks_client speaks to it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/cidr.hpp"
#include "net/settings.hpp"

namespace signet::net {

struct HttpProxy {
    Endpoint endpoint;
    std::string authorization;  // value of Proxy-Authorization; empty: none
};

class ProxyRules {
  public:
    using Environment = std::function<std::optional<std::string>(const std::string& name)>;

    // The lower-case names count first, then the upper-case ones. A Fault: HTTPS_PROXY is no http:// URL.
    static result<ProxyRules> from(const Environment& environment);

    // The proxy for https://host:port, or null: directly. Loopback is always direct.
    [[nodiscard]] const HttpProxy* find(std::string_view host, std::string_view port) const;

  private:
    struct Exception {
        std::string domain;  // lower case, without a leading dot; empty: the block is meant
        std::optional<Cidr> block;
        std::string port;  // empty: any
    };
    std::optional<HttpProxy> proxy_;
    bool never_ = false;  // NO_PROXY=*
    std::vector<Exception> exceptions_;
};

}  // namespace signet::net
