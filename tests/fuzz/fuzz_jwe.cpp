// Any bytes as an encrypted token: whatever is accepted is spelt in the one way that its parts have, and no
// key opens what was not encrypted for it. Every header is tried with keys of each kind, and with the parts
// of a token that they do open.
#include "fuzz/fuzz.hpp"
#include "jose/base64url.hpp"
#include "jose/decryption_key.hpp"

using namespace signet;
using namespace signet::fuzz;

namespace {

// Keys of examples in RFC 7516 to 7518 and RFC 8037: nobody's.
const std::vector<jose::DecryptionKey>& keys() {
    static const auto all = jose::parse_decryption_keys(
                                R"({"keys":[
  {"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
   "y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"},
  {"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08",
   "d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"},
  {"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg"},
  {"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]})")
                                .value();
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const Exact exact(text);
    static thread_local jose::EncryptedTokenReader used;
    jose::EncryptedTokenReader fresh;
    const auto again = used.read(TokenText(exact.view()));
    const auto token = fresh.read(TokenText(exact.view()));
    FUZZ_ASSERT(token.has_value() == again.has_value());
    if (token) {
        FUZZ_ASSERT(jose::is_encrypted(TokenText(text)));
        const auto parts = {token->encrypted_key, token->iv, token->ciphertext, token->tag};
        std::string spelt(token->authenticated);
        for (const auto part : parts) spelt += "." + jose::encode_base64url(part);
        FUZZ_ASSERT(spelt == text);
        FUZZ_ASSERT(token->has_zip == token->header.find("zip").has_value());
        FUZZ_ASSERT(token->has_crit == token->header.find("crit").has_value());
        for (const auto& key : keys()) {
            std::string plaintext = "before";
            const bool opened = key.decrypt(*token, plaintext);
            FUZZ_ASSERT(opened || plaintext.empty() || plaintext == "before");
            if (opened) FUZZ_ASSERT(plaintext.size() <= token->ciphertext.size());
            if (opened) FUZZ_ASSERT(key.fits(*token->algorithm, *token->encryption));
        }
    } else {
        FUZZ_ASSERT(!token.error().message.empty());
    }
    // The same bytes as the header alone: all of what a stranger may say of epk, iv, tag, apu and apv.
    if (size < 4096) {
        const auto header = jose::encode_base64url(text);
        for (const auto* rest :
             {"..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
              ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"}) {
            const auto whole = header + rest;
            const auto made = fresh.read(TokenText(whole));
            if (!made) continue;
            std::string plaintext;
            for (const auto& key : keys()) FUZZ_ASSERT(!key.decrypt(*made, plaintext));
        }
    }
    return 0;
}
