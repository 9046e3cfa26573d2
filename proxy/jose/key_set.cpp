#include "jose/key_set.hpp"

#include <openssl/pem.h>

#include "jose/native_key.hpp"

namespace signet::jose {

static void free_bytes(void* p) { OPENSSL_free(p); }

result<KeySet> parse_jwk_set(std::string_view text) {
    if (text.size() > max_key_set_bytes) return fault("the key set is larger than 256 KiB");
    json::Document document;
    const auto root = document.parse(text);
    if (!root) return fault("the key set is not strict JSON: " + root.error().message);
    const auto list = root->find("keys");
    if (!list || !list->is_array()) return fault("the key set has no array \"keys\"");
    if (list->size() > max_keys) return fault("the key set has more than 100 keys");
    KeySet set;
    list->each_element([&](const json::Value& jwk) {
        auto key = VerificationKey::from_jwk(jwk);
        if (key) {
            set.keys.push_back(std::move(*key));
        } else {
            const auto kid = jwk.find("kid");
            set.skipped.push_back(
                {kid && kid->string() ? std::string(*kid->string()) : std::string{}, key.error().message});
        }
        return true;
    });
    if (set.keys.empty()) {
        std::string why = set.skipped.empty() ? "it is empty" : "first: " + set.skipped.front().why;
        return fault("the key set holds no key that Signet can use; " + why);
    }
    return set;
}

bool is_empty_set(std::string_view text) {
    json::Document document;
    const auto root = document.parse(text);
    const auto list = root ? root->find("keys") : std::nullopt;
    return list && list->is_array() && list->size() == 0;
}

result<KeySet> parse_pem_keys(std::string_view text) {
    if (text.size() > max_key_set_bytes) return fault("the file is larger than 256 KiB");
    const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    KeySet set;
    while (true) {
        char* name = nullptr;
        char* header = nullptr;
        unsigned char* data = nullptr;
        long size = 0;
        if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
            ERR_clear_error();
            break;
        }
        const std::unique_ptr<char, OpensslDeleter<free_bytes>> name_owner(name), header_owner(header);
        const std::unique_ptr<unsigned char, OpensslDeleter<free_bytes>> data_owner(data);
        const std::string_view kind(name);
        const unsigned char* at = data;
        auto native = std::make_unique<VerificationKey::Native>();
        if (kind == PEM_STRING_PUBLIC) {
            native->key.reset(d2i_PUBKEY(nullptr, &at, size));
        } else if (kind == PEM_STRING_RSA_PUBLIC) {
            native->key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size));
        } else if (kind == PEM_STRING_X509) {
            const CertificatePtr certificate(d2i_X509(nullptr, &at, size));
            if (certificate) native->key.reset(X509_get_pubkey(certificate.get()));
        } else if (kind.ends_with("PRIVATE KEY")) {
            return fault("the file holds a private key; give Signet the public one");
        } else {
            continue;
        }
        ERR_clear_error();
        auto key = VerificationKey::from_native(std::move(native));
        if (key)
            set.keys.push_back(std::move(*key));
        else
            set.skipped.push_back({"", key.error().message});
        if (set.keys.size() > max_keys) return fault("the file has more than 100 keys");
    }
    if (set.keys.empty())
        return fault("no usable PEM public key or certificate in it" +
                     (set.skipped.empty() ? std::string{} : "; first: " + set.skipped.front().why));
    return set;
}

}  // namespace signet::jose
