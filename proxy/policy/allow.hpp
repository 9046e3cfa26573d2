// The permission to forward a request. Only its makers can make one, and net can write a request upstream
// only with it.
#pragma once

#include <cstdint>
#include <string_view>

namespace signet::gate {
class Gate;
}

namespace signet::policy {

class Allow {
  public:
    // A public route, or no token where none is required: forwarded without claims.
    static Allow anonymous(bool is_public) { return Allow(is_public ? Kind::open : Kind::anonymous, {}, {}); }

    [[nodiscard]] bool is_public() const { return kind_ == Kind::open; }
    [[nodiscard]] bool is_verified() const { return kind_ == Kind::verified; }
    // "Name: value\r\n" lines. Views of what the gate remembers: good until it is asked again.
    [[nodiscard]] std::string_view claim_lines() const { return claim_lines_; }
    // The payload as it stood in the token, base64url.
    [[nodiscard]] std::string_view payload() const { return payload_; }
    // report_only lifted a refusal: whoever is behind us judges the token that came, so it stays in the
    // request.
    [[nodiscard]] bool is_lifted() const { return lifted_; }

  private:
    friend class ::signet::gate::Gate;  // verified: a token passed every check
    enum class Kind : std::uint8_t { open, anonymous, verified };
    Allow(Kind kind, std::string_view claim_lines, std::string_view payload, bool lifted = false)
        : kind_(kind), lifted_(lifted), claim_lines_(claim_lines), payload_(payload) {}

    Kind kind_;
    bool lifted_;
    std::string_view claim_lines_;
    std::string_view payload_;
};

}  // namespace signet::policy
