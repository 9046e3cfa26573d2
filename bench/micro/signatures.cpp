#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <stdexcept>

#include "jose/key_set.hpp"
#include "jose/signing_key.hpp"
#include "jose/token.hpp"
#include "micro/kernel.hpp"

namespace signet::bench {
namespace {

struct Signed {
    jose::KeySet keys;
    std::string token;
    jose::TokenReader reader;
    jose::Token parsed;
};

std::shared_ptr<Signed> make(jose::Algorithm algorithm) {
    auto out = std::make_shared<Signed>();
    const auto key = jose::SigningKey::generate(algorithm, "k").value();
    out->keys = jose::parse_jwk_set(key.public_jwk_set()).value();
    out->token =
        key.sign(R"({"iss":"https://idp.example.com","sub":")" + std::string(560, 's') + "\"}").value();
    out->parsed = out->reader.read(TokenText(out->token)).value();
    return out;
}

Kernel ours(const std::string& name, jose::Algorithm algorithm) {
    return {"verify " + name + ": Signet", false, [made = make(algorithm), algorithm](std::size_t n) {
                const auto& key = made->keys.keys.front();
                for (std::size_t i = 0; i < n; ++i)
                    if (!key.verify(algorithm, made->parsed.signing_input, made->parsed.signature))
                        throw std::logic_error("does not verify");
            }};
}

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// The least that OpenSSL can do: a context that is copied from one that was made ready before.
Kernel openssl(const std::string& name, const EVP_MD* digest, EVP_PKEY* raw_key) {
    struct Made {
        KeyPtr key{nullptr, EVP_PKEY_free};
        ContextPtr ready{EVP_MD_CTX_new(), EVP_MD_CTX_free};
        std::string input = std::string(800, 'x');
        std::string signature;
    };
    auto made = std::make_shared<Made>();
    made->key.reset(raw_key);
    const ContextPtr signer(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::size_t size = 0;
    const auto* input = reinterpret_cast<const unsigned char*>(made->input.data());
    if (EVP_DigestSignInit(signer.get(), nullptr, digest, nullptr, raw_key) != 1 ||
        EVP_DigestSign(signer.get(), nullptr, &size, input, made->input.size()) != 1)
        throw std::logic_error("OpenSSL signs nothing");
    made->signature.resize(size);
    if (EVP_DigestSign(signer.get(), reinterpret_cast<unsigned char*>(made->signature.data()), &size, input,
                       made->input.size()) != 1 ||
        EVP_DigestVerifyInit(made->ready.get(), nullptr, digest, nullptr, raw_key) != 1)
        throw std::logic_error("OpenSSL signs nothing");
    made->signature.resize(size);
    return {"verify " + name + ": OpenSSL alone", false, [made](std::size_t n) {
                const ContextPtr context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
                for (std::size_t i = 0; i < n; ++i) {
                    EVP_MD_CTX_copy_ex(context.get(), made->ready.get());
                    if (EVP_DigestVerify(context.get(),
                                         reinterpret_cast<const unsigned char*>(made->signature.data()),
                                         made->signature.size(),
                                         reinterpret_cast<const unsigned char*>(made->input.data()),
                                         made->input.size()) != 1)
                        throw std::logic_error("does not verify");
                }
            }};
}

}  // namespace

std::vector<Kernel> signature_kernels() {
    return {ours("RS256", jose::Algorithm::RS256),
            openssl("RS256", EVP_sha256(), EVP_RSA_gen(2048)),
            ours("ES256", jose::Algorithm::ES256),
            openssl("ES256", EVP_sha256(), EVP_EC_gen("P-256")),
            ours("EdDSA", jose::Algorithm::EdDSA),
            openssl("EdDSA", nullptr, EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))};
}

}  // namespace signet::bench
