// Where the outside vectors are, and a judge that takes a JWS of any payload: most of them sign no JSON.
#pragma once

#include <string>
#include <string_view>

#include "jose/key_set.hpp"

namespace signet::test {

std::string vectors_folder();
std::string read_file(const std::string& path);

// A set of one key from its JWK. A symmetric key is taken as configuration would: its bytes, with its alg.
result<jose::KeySet> keys_of(const json::Value& jwk);

// Would it be accepted as a signed token, its payload's content aside? Empty: yes; else why not.
std::string judge(std::string_view jws, const jose::KeySet& keys);

}  // namespace signet::test
