#include "jose/certificate.hpp"

#include <array>
#include <string>

#include "jose/base64url.hpp"

namespace signet::jose {
namespace {

// RFC 4648 §4, with padding: x5c alone is spelt so.
std::optional<std::string> decode_base64(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    std::string plain(text);
    for (int i = 0; i < 2 && plain.ends_with('='); ++i) plain.pop_back();
    for (char& c : plain) {
        if (c == '-' || c == '_') return std::nullopt;
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    return decode_base64url(plain);
}

}  // namespace

std::optional<Fault> check_certificate(const json::Value& jwk, const EVP_PKEY* key) {
    const auto chain = jwk.find("x5c");
    if (!chain) return std::nullopt;
    const auto first = chain->is_array() ? chain->at(0) : std::nullopt;
    const auto text = first ? first->string() : std::nullopt;
    const auto der = text ? decode_base64(*text) : std::nullopt;
    if (!der) return fault("its x5c is not an array of base64 texts");
    const unsigned char* at = bytes(der->data());
    const CertificatePtr certificate(d2i_X509(nullptr, &at, static_cast<long>(der->size())));
    const bool whole = certificate && at == bytes(der->data()) + der->size();
    const EVP_PKEY* const certified = whole ? X509_get0_pubkey(certificate.get()) : nullptr;
    const bool same = certified != nullptr && EVP_PKEY_eq(certified, key) == 1;
    ERR_clear_error();
    if (!whole) return fault("its x5c holds no certificate that can be read");
    if (!same) return fault("the certificate in its x5c is for another key");

    const auto stated = jwk.find("x5t#S256");
    if (!stated) return std::nullopt;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1)
        return fault(openssl_error());
    const std::string_view made(reinterpret_cast<const char*>(digest.data()), size);
    const auto told = stated->string() ? decode_base64url(*stated->string()) : std::nullopt;
    if (!told || *told != made) return fault("its x5t#S256 is not the digest of the certificate in its x5c");
    return std::nullopt;
}

}  // namespace signet::jose
