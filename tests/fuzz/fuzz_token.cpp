// Any bytes as a token: whatever is accepted is spelt in the one way that its parts have.
#include "fuzz/fuzz.hpp"
#include "jose/base64url.hpp"
#include "jose/token.hpp"
#include "jose/verification_key.hpp"

using namespace signet;
using namespace signet::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const Exact exact(text);

    const auto decoded = jose::decode_base64url(exact.view());
    if (decoded) {
        FUZZ_ASSERT(jose::encode_base64url(*decoded) == text);
        FUZZ_ASSERT(decoded->size() <= jose::decoded_size(size));
    }
    FUZZ_ASSERT(jose::decode_base64url(jose::encode_base64url(text)) == text);

    // Once with a reader that has read before, once with a new one: the same verdict.
    static thread_local jose::TokenReader used;
    jose::TokenReader fresh;
    const auto again = used.read(TokenText(exact.view()));
    const auto token = fresh.read(TokenText(exact.view()));
    FUZZ_ASSERT(token.has_value() == again.has_value());
    if (!token) {
        FUZZ_ASSERT(!token.error().message.empty());
        return 0;
    }
    FUZZ_ASSERT(jose::encode_base64url(token->payload_json) == token->payload_base64);
    FUZZ_ASSERT(std::string(token->signing_input) + "." + jose::encode_base64url(token->signature) == text);
    FUZZ_ASSERT(token->header.is_object() && token->payload.is_object());
    FUZZ_ASSERT(!token->signature.empty());
    if (token->algorithm) FUZZ_ASSERT(jose::name_of(*token->algorithm) == token->algorithm_name);
    FUZZ_ASSERT(token->has_crit == token->header.find("crit").has_value());

    // A key that signed nothing of this verifies nothing of it.
    static const auto secret =
        jose::VerificationKey::from_secret("the fuzzer does not know this secret, nor can it guess it: 1x7")
            .value();
    for (const auto a : {jose::Algorithm::HS256, jose::Algorithm::HS384, jose::Algorithm::RS256})
        FUZZ_ASSERT(!secret.verify(a, token->signing_input, token->signature));
    return 0;
}
