// A token whose signature, types and times held; audiences and revocations are judged on each request. Only
// the gate makes one ("the lack of an error is no proof"). It lies in one block of memory with all that it
// shows: thousands of them are remembered.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <span>
#include <string_view>

#include "policy/admit.hpp"
#include "revocation/index.hpp"

namespace signet::gate {

class VerifiedToken;
using TokenPtr = boost::intrusive_ptr<VerifiedToken>;  // one worker's: not counted atomically

class VerifiedToken : public boost::intrusive_ref_counter<VerifiedToken, boost::thread_unsafe_counter> {
  public:
    VerifiedToken(const VerifiedToken&) = delete;

    [[nodiscard]] std::string_view text() const { return {bytes(), text_size_}; }
    [[nodiscard]] std::string_view payload_base64() const { return {bytes() + payload_at_, payload_size_}; }
    [[nodiscard]] std::string_view claim_lines() const { return {bytes() + text_size_, lines_size_}; }
    // ,"claims.sub":"…" for the access log, already JSON; empty where none are logged.
    [[nodiscard]] std::string_view logged_claims() const {
        return {claim_lines().data() + lines_size_, logged_size_};
    }
    [[nodiscard]] std::string_view jti() const { return {logged_claims().data() + logged_size_, jti_size_}; }
    [[nodiscard]] std::string_view kid() const { return {jti().data() + jti_size_, kid_size_}; }
    [[nodiscard]] std::span<const revocation::TargetHash> targets() const {
        return {reinterpret_cast<const revocation::TargetHash*>(this + 1), target_count_};
    }
    [[nodiscard]] std::uint16_t issuer() const { return issuer_; }
    [[nodiscard]] policy::Times times() const {
        return {read_time(expires_), read_time(not_before_), read_time(issued_)};
    }
    [[nodiscard]] std::uint32_t claims_left_out() const { return claims_left_out_; }
    // Bytes that remembering it costs, about: its own, the allocator's and the cache's.
    [[nodiscard]] std::size_t footprint() const { return block_size_ + 64; }

    static void operator delete(void* block) { ::operator delete(block); }

  private:
    friend class Gate;
    friend class TokenCache;

    struct Parts {
        std::string_view text;
        std::string_view payload_base64;  // within text, but for a token that came encrypted
        std::string_view claim_lines;
        std::string_view logged_claims;
        std::string_view jti;
        std::string_view kid;
        std::span<const revocation::TargetHash> targets;
        policy::Times times;
        std::uint32_t claims_left_out = 0;
        std::uint16_t issuer = 0;
        bool audience_matches = false;  // the issuer's
        std::size_t routes = 0;
    };
    static TokenPtr make(const Parts& parts);
    VerifiedToken() = default;

    // Behind the object: the targets, then bytes: text, claim lines, logged claims, jti, kid, a byte a route,
    // and the payload where it is not a part of the text.
    [[nodiscard]] const char* bytes() const {
        return reinterpret_cast<const char*>(targets().data() + target_count_);
    }
    // Per route: 0 not asked yet, 1 admits. Refusals are worked out again, for their sentence.
    [[nodiscard]] char& route_verdict(std::size_t route) {
        return const_cast<char&>(kid().data()[kid_size_ + route]);
    }

    static constexpr std::int64_t absent = INT64_MIN;
    static std::optional<WallTime> read_time(std::int64_t t) {
        return t == absent ? std::nullopt : std::optional(WallTime{milliseconds{t}});
    }

    std::uint32_t block_size_ = 0;
    std::int64_t expires_ = absent;
    std::int64_t not_before_ = absent;
    std::int64_t issued_ = absent;
    std::uint64_t cache_key_ = 0;  // the cache's
    std::uint32_t text_size_ = 0;
    std::uint32_t payload_at_ = 0;
    std::uint32_t payload_size_ = 0;
    std::uint32_t lines_size_ = 0;
    std::uint32_t logged_size_ = 0;
    std::uint32_t jti_size_ = 0;
    std::uint32_t kid_size_ = 0;
    std::uint32_t claims_left_out_ = 0;
    std::uint16_t target_count_ = 0;
    std::uint16_t issuer_ = 0;
    bool audience_matches_ = false;
    bool used_lately_ = false;  // the cache's
};

}  // namespace signet::gate
