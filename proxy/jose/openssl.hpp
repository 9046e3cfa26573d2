// Owners for OpenSSL's objects, and its last error in words. Only jose and net's TLS include this.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace signet::jose {

template <auto Free>
struct OpensslDeleter {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};

using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslDeleter<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, OpensslDeleter<EVP_MD_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using NumberPtr = std::unique_ptr<BIGNUM, OpensslDeleter<BN_clear_free>>;
using CertificatePtr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;

inline const unsigned char* bytes(const char* p) { return reinterpret_cast<const unsigned char*>(p); }
inline unsigned char* bytes(char* p) { return reinterpret_cast<unsigned char*>(p); }

// Takes the whole error queue; the first entry is the cause.
inline std::string openssl_error() {
    const auto first = ERR_get_error();
    ERR_clear_error();
    if (first == 0) return "unknown";
    const char* text = ERR_reason_error_string(first);
    return text != nullptr ? text : "error " + std::to_string(first);
}

}  // namespace signet::jose
