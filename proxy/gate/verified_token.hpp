// A token that passed every check that belongs to it alone. Only the gate makes one ("the lack of an error is
// no proof").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jose/algorithm.hpp"
#include "policy/admit.hpp"
#include "revocation/index.hpp"

namespace signet::gate {

class VerifiedToken {
  public:
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] std::string_view payload_base64() const {
        return std::string_view(text_).substr(payload_at_, payload_size_);
    }
    [[nodiscard]] std::uint16_t issuer() const { return issuer_; }
    [[nodiscard]] const policy::Times& times() const { return times_; }
    [[nodiscard]] std::string_view claim_lines() const { return claim_lines_; }
    [[nodiscard]] std::uint32_t claims_left_out() const { return claims_left_out_; }
    [[nodiscard]] const std::vector<revocation::TargetHash>& targets() const { return targets_; }
    [[nodiscard]] std::string_view kid() const { return kid_; }
    [[nodiscard]] std::string_view jti() const { return jti_; }
    // ,"claims.sub":"…" for the access log, already JSON; empty where none are logged.
    [[nodiscard]] std::string_view logged_claims() const { return logged_claims_; }

    // Bytes that remembering it costs, about.
    [[nodiscard]] std::size_t footprint() const {
        return sizeof *this + text_.capacity() + claim_lines_.capacity() +
               targets_.capacity() * sizeof targets_[0] + logged_claims_.capacity() + kid_.capacity() +
               jti_.capacity() + route_verdicts_.capacity() + 96;
    }

  private:
    friend class Gate;
    VerifiedToken() = default;

    std::string text_;
    std::size_t payload_at_ = 0;
    std::size_t payload_size_ = 0;
    std::uint16_t issuer_ = 0;
    policy::Times times_;
    bool audience_matches_ = false;  // the issuer's
    std::string claim_lines_;
    std::uint32_t claims_left_out_ = 0;
    std::vector<revocation::TargetHash> targets_;
    std::string kid_;
    std::string jti_;
    std::string logged_claims_;
    // Per route: 0 not asked yet, 1 admits. Refusals are worked out again, for their sentence.
    std::vector<std::uint8_t> route_verdicts_;
};

}  // namespace signet::gate
