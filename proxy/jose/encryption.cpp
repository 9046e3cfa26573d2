#include "jose/encryption.hpp"

#include <array>

namespace signet::jose {
namespace {

struct Management {
    std::string_view name;
    std::size_t wrapping_key;
};

// Both in the order of their enum.
constexpr std::array<Management, 13> managements{{{"RSA-OAEP", 0},
                                                  {"RSA-OAEP-256", 0},
                                                  {"ECDH-ES", 0},
                                                  {"ECDH-ES+A128KW", 16},
                                                  {"ECDH-ES+A192KW", 24},
                                                  {"ECDH-ES+A256KW", 32},
                                                  {"A128KW", 16},
                                                  {"A192KW", 24},
                                                  {"A256KW", 32},
                                                  {"A128GCMKW", 16},
                                                  {"A192GCMKW", 24},
                                                  {"A256GCMKW", 32},
                                                  {"dir", 0}}};

struct Encryption {
    std::string_view name;
    std::size_t key;
};
constexpr std::array<Encryption, 6> encryptions{{{"A128GCM", 16},
                                                 {"A192GCM", 24},
                                                 {"A256GCM", 32},
                                                 {"A128CBC-HS256", 32},
                                                 {"A192CBC-HS384", 48},
                                                 {"A256CBC-HS512", 64}}};

template <class T, class Table>
std::optional<T> find(const Table& table, std::string_view name) {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].name == name) return static_cast<T>(i);
    return std::nullopt;
}

}  // namespace

std::optional<KeyManagement> key_management_from(std::string_view name) {
    return find<KeyManagement>(managements, name);
}
std::optional<ContentEncryption> content_encryption_from(std::string_view name) {
    return find<ContentEncryption>(encryptions, name);
}
std::string_view name_of(KeyManagement a) { return managements[static_cast<std::size_t>(a)].name; }
std::string_view name_of(ContentEncryption e) { return encryptions[static_cast<std::size_t>(e)].name; }
std::size_t wrapping_key_size(KeyManagement a) {
    return managements[static_cast<std::size_t>(a)].wrapping_key;
}
std::size_t content_key_size(ContentEncryption e) { return encryptions[static_cast<std::size_t>(e)].key; }

}  // namespace signet::jose
