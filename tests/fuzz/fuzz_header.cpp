// Any bytes as the header of a token whose signature holds: the reader says what the JSON says, and the
// header picks none but the algorithms and keys that its issuer has.
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/gatehouse.hpp"

using namespace signet;
using namespace signet::fuzz;

namespace {

constexpr std::string_view payload = R"({"iss":"https://idp","exp":1700000600})";

policy::IssuerRules issuer() {
    policy::IssuerRules rules;
    rules.name = "idp";
    rules.issuer = "https://idp";
    rules.any_audience = true;
    rules.algorithms = {jose::Algorithm::HS256, jose::Algorithm::ES256};
    return rules;
}

// A member that is a string; nullopt where it is absent or anything else.
std::optional<std::string> text_member(const json::Value& header, std::string_view wanted) {
    std::optional<std::string> out;
    header.each_member([&](std::string_view name, const json::Value& v) {
        if (name == wanted && v.string()) out = std::string(*v.string());
        return true;
    });
    return out;
}

bool has_member(const json::Value& header, std::string_view wanted) {
    bool found = false;
    header.each_member([&](std::string_view name, const json::Value&) {
        found = found || name == wanted;
        return true;
    });
    return found;
}

// What the contract says of a header, read from its JSON. nullopt: admitted.
std::optional<Reason> expected(const json::Value* header) {
    if (header == nullptr || !header->is_object()) return Reason::token_malformed;
    const auto alg = text_member(*header, "alg"), kid = text_member(*header, "kid");
    auto typ = text_member(*header, "typ");
    if (has_member(*header, "kid") != kid.has_value() || has_member(*header, "typ") != typ.has_value())
        return Reason::token_malformed;
    if (has_member(*header, "crit")) return Reason::crit_unsupported;
    if (const auto b64 = header->find("b64"); b64 && b64->boolean() != true) return Reason::token_malformed;
    // The secret signed it; the other key that the header may pick did not.
    if (alg == "ES256") return kid && *kid != "k1" ? Reason::kid_unknown : Reason::signature_invalid;
    if (alg != "HS256") return Reason::alg_not_allowed;
    typ = to_lower(typ.value_or("JWT"));
    if (typ->starts_with("application/") && typ->size() > 12) typ->erase(0, 12);
    if (typ != "jwt" && typ != "at+jwt") return Reason::typ_mismatch;
    return std::nullopt;
}

void check_reading(const jose::Token& token, const json::Value& header, std::string_view text) {
    FUZZ_ASSERT(jose::decode_base64url(token.signing_input.substr(0, token.signing_input.find('.'))) == text);
    FUZZ_ASSERT(token.header == header);
    FUZZ_ASSERT(token.payload_json == payload && token.signature.size() == 32);
    const auto alg = text_member(header, "alg");
    FUZZ_ASSERT(token.algorithm_name == alg.value_or(""));
    FUZZ_ASSERT(token.algorithm.has_value() == jose::algorithm_from(alg.value_or("")).has_value());
    if (token.algorithm) FUZZ_ASSERT(jose::name_of(*token.algorithm) == alg);
    FUZZ_ASSERT(token.kid == text_member(header, "kid"));
    FUZZ_ASSERT(token.typ == text_member(header, "typ"));
    FUZZ_ASSERT(token.has_crit == has_member(header, "crit"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static thread_local Gatehouse house(issuer());
    const auto text = text_of(data, size);
    const auto whole = sign(text, payload);

    json::Document document;
    const Exact exact(text);
    const auto header = document.parse(exact.view());
    auto wanted = expected(header ? &*header : nullptr);

    static thread_local jose::TokenReader used;
    jose::TokenReader fresh;
    const Exact exact_token(whole);
    const auto token = fresh.read(TokenText(exact_token.view()));
    const auto again = used.read(TokenText(exact_token.view()));
    FUZZ_ASSERT(token.has_value() == (wanted != Reason::token_malformed));
    FUZZ_ASSERT(again.has_value() == token.has_value());
    if (token) {
        check_reading(*token, *header, text);
    } else {
        FUZZ_ASSERT(token.error().message == again.error().message);
        FUZZ_ASSERT(is_printable(token.error().message));
    }

    if (whole.size() > house.rules().max_token_size) wanted = Reason::token_too_large;
    FUZZ_ASSERT(house.verdict(whole) == wanted);
    // With the signature of another header it is never admitted.
    const auto other = sign(std::string(text) + " ", payload);
    const auto forged = whole.substr(0, whole.rfind('.')) + other.substr(other.rfind('.'));
    FUZZ_ASSERT(house.verdict(forged));
    return 0;
}
