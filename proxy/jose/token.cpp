#include "jose/token.hpp"

#include "jose/base64url.hpp"

namespace signet::jose {
namespace {

std::optional<std::string_view> decode_into(std::string& buffer, std::string_view text) {
    if (buffer.size() < decoded_size(text.size())) buffer.resize(decoded_size(text.size()));
    const auto size = decode_base64url(text, buffer.data());
    if (!size) return std::nullopt;
    return std::string_view(buffer.data(), *size);
}

}  // namespace

result<Token> TokenReader::read(TokenText text) {
    const std::string_view all = text.reveal();
    // Two dots are looked for, and a third refuses: no list of parts grows with what a stranger sends
    // (CVE-2025-30204).
    const auto first = all.find('.');
    const auto second = first == std::string_view::npos ? first : all.find('.', first + 1);
    if (second == std::string_view::npos) return fault("it is not three parts with dots between them");
    if (all.find('.', second + 1) != std::string_view::npos) return fault("it has more than three parts");

    const auto header_text = all.substr(0, first);
    Token token;
    token.payload_base64 = all.substr(first + 1, second - first - 1);
    const auto signature_text = all.substr(second + 1);
    token.signing_input = all.substr(0, second);
    if (header_text.empty() || token.payload_base64.empty() || signature_text.empty())
        return fault("one of its three parts is empty");

    const auto header_json = decode_into(header_bytes_, header_text);
    if (!header_json) return fault("its header is not canonical base64url");
    const auto payload_json = decode_into(payload_bytes_, token.payload_base64);
    if (!payload_json) return fault("its payload is not canonical base64url");
    const auto signature = decode_into(signature_bytes_, signature_text);
    if (!signature) return fault("its signature is not canonical base64url");
    token.payload_json = *payload_json;
    token.signature = *signature;

    const auto header = header_.parse(*header_json);
    if (!header) return fault("its header is not strict JSON: " + header.error().message);
    if (!header->is_object()) return fault("its header is not a JSON object");
    const auto payload = payload_.parse(*payload_json);
    if (!payload) return fault("its payload is not strict JSON: " + payload.error().message);
    if (!payload->is_object()) return fault("its payload is not a JSON object");
    token.header = *header;
    token.payload = *payload;

    if (const auto alg = header->find("alg")) {
        if (const auto name = alg->string()) {
            token.algorithm_name = *name;
            token.algorithm = algorithm_from(*name);
        }
    }
    if (const auto kid = header->find("kid")) {
        token.kid = kid->string();
        if (!token.kid) return fault("its kid is not a string");
    }
    if (const auto typ = header->find("typ")) {
        token.typ = typ->string();
        if (!token.typ) return fault("its typ is not a string");
    }
    token.has_crit = header->find("crit").has_value();
    // RFC 7797 §7: a JWT's payload is never unencoded. With a crit, as it must have, that is told instead.
    if (const auto b64 = header->find("b64"); b64 && b64->boolean() != true && !token.has_crit)
        return fault("its b64 is not true");
    return token;
}

}  // namespace signet::jose
