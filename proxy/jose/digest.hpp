// SHA-256, and which OpenSSL does it.
#pragma once

#include <string>
#include <string_view>

namespace signet::jose {

std::string sha256_hex(std::string_view text);
std::string openssl_version();

}  // namespace signet::jose
