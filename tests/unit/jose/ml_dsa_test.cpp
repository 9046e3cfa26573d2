// ML-DSA where OpenSSL has it, and how it is refused where not: each case runs one half of these.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "jose/digest.hpp"
#include "jose/key_set.hpp"
#include "jose/ml_dsa.hpp"
#include "jose/signing_key.hpp"
#include "unit/jose/sample_keys.hpp"
#include "unit/support/json_text.hpp"
#include "unit/support/printing.hpp"

namespace signet::jose {
namespace {

using namespace signet::test;

struct Vector {
    Algorithm algorithm;
    std::string_view name;
    std::size_t public_bytes, signature_bytes;  // RFC 9964 section 5
    std::string_view kid;                       // of A.1: the thumbprint of the key whose seed is all zeros
};
constexpr Vector vectors[] = {
    {Algorithm::ML_DSA_44, "ML-DSA-44", 1312, 2420, "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"},
    {Algorithm::ML_DSA_65, "ML-DSA-65", 1952, 3309, "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM"},
    {Algorithm::ML_DSA_87, "ML-DSA-87", 2592, 4627, "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU"}};

const std::string input_44 =
    "eyJhbGciOiJNTC1EU0EtNDQiLCJraWQiOiJUNHhsNzBTN01UNlplcTZyOVY5ZlBKR1ZuNzZ3Zm5YSjIxLWd5bzBHdTZvIn0."
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4";
const std::string signature_44 =
    "knI1Q_9CIzLH5Xy94Kkc7WVKqZcAgtJ3mNf0GUj1uLA6YXAWFJfXkh-zQxUtEl3UIC7zPCiUwKTDR6ZsuUmFj8Ctb_6aH64hElN7weS_"
    "1m5okCy8GqHNL2lsfclCH3Y2f4QNP-DLVS1XsuboDA7Dw3ir2IdYKIfWJyIU7ROHgd24nuun1zJbxcLJC2EKt2M8R0wZudcIE9nm5oPz"
    "YXq0z-hPsKoXp9leVYkqgMmO9Lo8SP_1YYIEth3B8v-GuP249KDTFRKPjISmK4aPCknjtjihHsQVv2XePXxKExatHl4qhsiiW-y-EJXa"
    "1Kfw4WYpLA7B4_5Ids--cIJmIx7f6xxAWKh5qoBWq1QIOaaFuzsAraRW3NOEuzThew1En85gI3GcRTZGp-VDGyxHm0Al04cyWo2bxAVO"
    "F0fbDc265iP2mCNw6Qg10jIJeAhGB4OAMYcBUWJAG0l1MN1U_koEmGh5dXKnQTRl461ea_Cq3DLkcA2Dj2woWUFyDTmQ8oO_yheASfJa"
    "cyRm7_suj88z5XFNo8F53P8OxTG9xUPlrwvH-TAq7AH3NU4SNXApyVKTU3zhx1tJ34nlTILcTujXVJVo_f0DZfUxr6JSCYqvy4z1Kl0w"
    "DQzd55aopyFtQxvOPhcCHbAN34g2Ug750Jm835fl7NOxcqoMbuTcgH68kr37M-Pdh2K9WazXUJgCupgdIWW8WjfOjmTiF59CrVtfVtK2"
    "qDzF40OENCfqtNPQlZe5cN5p0P8arj4USB8HCPh7NdqQBAeWrw0wsYhdiM39lrSkA8mLRYMhZnqKGCTPCrHXDdEjRKYRNaqIUT44laYl"
    "5c27K0v-ozjKPu6tzEhkYSC4XZ3LehEFtmAzOE0mHbhKMgXqjoPJjOrGIPibX3jwK8_Q5RmMOXtXo8R3vXfBaUdQoLeeyywNYE0nIcsl"
    "4z5a8_utwEFiVf0VK2pdviyiOPVSi3zOMAmqz6gFhVy8aMMQOWZAEAuTyDw7ZWG6diwptmrgSXZotW63I19S2ZH7keCXRIq_pFLuYhOu"
    "G6dD4MkouILRdC9bXZMLrNDq7COpUOO86aQVlYd0pR935WpUw-V6obSRnHlRFZSmUSIB7h1Q0ImciRzojN93Xhw7qpzGzdzDEO3OOTay"
    "XaSG_0YHQyy-eH4hBbmgt_LBx120g1eY4XHeHFRfTfetHkL5ZZusX1jQ_nk9ez4XBG_6hRtTNSuVBsYlH8-KUuR5-qTP8dkvRf8Wk2hH"
    "oUr2sz5YO_xDFCMMTrt8ahiMyfjo5ih5Fwo3riFbFUGKibniTLXspFd4spcNK_WchlZLRgkPK4jh6Z_X8JJkHxvQhpyouHQFyGxgBrl2"
    "4x-_EB1zbWMhJthmm8DiKt-nzKaJz8Cju1-HwCpg76CRqRsEz2hyKEpbb4M5KQSj3AsENCroVmQ5QIv3K2XNRkve4vjBmP6sV2b6GSY_"
    "UeRvPElA7SUgBGTKbn-c0aYhBuB8plPhRTBa55_cFqAmNmavF1-fdMktJuIaH2f-K0zZCzbHw54998T7kIWgyMsyGCAvynEB_khOqwT7"
    "tCjg5HQ8SIjdnRYW0kjZfjt5LJbGA-PnRo8gPVQVGeYDP2vsSXhNJY94AitKCY1srcSsuYDrhNBKrnoJ1uEsMPVHsgFw_ZHMyAEaVQug"
    "hSNW4fm8q6_1Nv4zLutDITzmAL6a6i6-WS6QRIs_4VUtwr5cXXIFDDeHVWeGcNivQ6W9urEUP4crguiq7z_DTiYaGfUksub-T7mw0zU8"
    "ZoOSd5pUTpJLv-IYIUAl6CscHvunnRLEKqpW1Sa1dcFZs5VP4AfR3mg7wX4Vlq1AHnpFxE2L1LZiKoTc9jDEOvTDkxr86gMkwMm6RdyP"
    "F_q48AVJ1br8Qp88-4B84X52zZ5cw-IJYe-HiVJ29LpeYm340_rWivpy-UB5i9TKlMrxf94y1okzZTPbP3_v1_XX0nE7RTLz98EA96eu"
    "J7l3EpbEqks7mh6i1FJNnvvlM_u29sYobJ6PUT-i1VlQnF_JBARKEz74pBXm1l5Y5Lo15rsIlaQHinUBCO8fHCHI59LAfKusN4JmodDq"
    "LYwkWijEL_sfrC6LtrbXqpM1pw09zSrs_tS1RQ-LnWHuPrU5KLCzv53JKrh8lU_cdBowe_F-Ib_Ui4bQ2FME-0mnyG0XijHUsrGMZ9df"
    "owvIkr83JpqwlFOZAwMmSGPNPEJRw9kDshjotndUB5S1UCfv_U4IoVn7WgvxeCS-BBxqyWfh7YTdf73EnmGwVYxVjlXaHCeeTZmUacnT"
    "4MQUAcbFjTq6BBlboAQGWP2FZWpd6HNnruv744VeWmfgLk9z5567wFhwuXMkmE2xvDo4wP80xutjUfsePx5YkLxhY1XsWqTZr19tInxJ"
    "WWq8RLZsWPmtq5wZ5ucBMasCLpOABenYZdSAcQNhC73wLS0Z2s1HQhBoIl7lr1p372LZs_Seu1u_8Fo7DoJqRpKaNoc2_JUMmn7TUZS8"
    "zLyzxgeq8R8iNbRP20DwDBNXocsTDBKaQrtB-QiEPySQtJa4G61XeNZyh5aGzfoWZ9OmjZG9pbbehcqwIrt-ESjPyeT6sfSrvOfTZr7f"
    "BXwpUs2rS4BrlNse5g_h8CQiik8aaOTOEPkXiyg4s5DewRlgDZHS-3g-YXPUIBNO62_HxknkMpkJvKW-tkvDbgtxvy4nG80ul6W_KeRs"
    "oEKDTRYNKZWxXjZITNa0h6agnwNCJKEbFg3Qhre394c0i60mfP9YIgKTXrCX3Yt2eX-6mPzYmLbSbV5jH69v6WZqYV2WAj-9DU0diR4h"
    "OfYQaJnBZhTtKb-SQsYiFuN1BDJ3v9eM9K8hq91NBdCHVa-Thk9Dov-JkcTZnZGRRyW5yXHUV4NOEltBXh8GkjjDvs5Yo3u-2rPCXjK1"
    "aGPSI1W8BaUJLQY5sbfAVCAuUHBv-Vlh5Qamt-lgeKguhqTSuy-tjabOb5kiBOG7xGQt3z-XYXtnWFDCii-5h11XfZsQ-xQxy8gSfdMz"
    "4hDK9Nw_VQt6fzWiQY0Th_dHzVki0MUfVfsDUjgblhD6j0wgbs3zdj-GM3rtt8oit0wXx11bIOaOKgf07tP0wimVXMRqRWe7LCUAKTE5"
    "PkRKU1x_h4iusrzi5uwKDhc4SmRwm6KssNrmCAkiNDZCREVKd3yMnrjA4PAGDzdKWVplcHJ6jKmrsbrEztHd9QAAAAAAAAAAAAAAABIf"
    "MEQ";

std::string akp_jwk(std::string_view alg, const std::string& pub, const std::string& more = "") {
    return R"({"kty":"AKP","alg":")" + std::string(alg) + R"(","pub":")" + pub + "\"" + more + "}";
}

// Empty: nothing is wrong with it.
std::string wrong_with(const std::string& jwk) {
    const Json json(jwk);
    const auto key = VerificationKey::from_jwk(*json);
    return key ? std::string{} : key.error().message;
}

VerificationKey key_from(const std::string& jwk) {
    const Json json(jwk);
    return VerificationKey::from_jwk(*json).value();
}

// A key that was just made, its public half in base64url.
struct Made {
    SigningKey key;
    std::string pub, priv;
};
Made made(Algorithm a) {
    auto key = SigningKey::generate(a, "m").value();
    const Json jwk(key.private_jwk());
    return {std::move(key), std::string(*jwk->find("pub")->string()),
            std::string(*jwk->find("priv")->string())};
}

TEST_CASE("without OpenSSL 3.5 every place that meets ML-DSA says that this build lacks it") {
    constexpr auto lacking = "not in this build, it needs OpenSSL 3.5";
    for (const auto& v : vectors) {
        CAPTURE(v.name);
        CHECK(algorithm_from(v.name).has_value() == has_ml_dsa());
        if (has_ml_dsa()) {
            CHECK(why_unknown(v.name).empty());
            continue;
        }
        CHECK_THAT(why_unknown(v.name), Catch::Contains(lacking));
        CHECK_THAT(wrong_with(akp_jwk(v.name, std::string(v.public_bytes, 'A'))), Catch::Contains(lacking));
        const auto signer = SigningKey::from_jwk(akp_jwk(v.name, "AA", R"(,"priv":"AA")"));
        REQUIRE_FALSE(signer);
        CHECK_THAT(signer.error().message, Catch::Contains(lacking));
        CHECK_FALSE(SigningKey::generate(v.algorithm, "k"));
    }
    CHECK(why_unknown("RS257").empty());
    if (!has_ml_dsa())
        CHECK_THAT(wrong_with(R"({"kty":"AKP","pub":"AAAA"})"), Catch::Contains("kty AKP is not supported"));
}

TEST_CASE("RFC 9964 A.1: the seed of zeros makes the keys that are printed there") {
    if (!has_ml_dsa()) return;
    for (const auto& v : vectors) {
        CAPTURE(v.name);
        const std::string zeros(ml_dsa_seed_bytes, '\0');
        const auto native = ml_dsa_from_seed(v.algorithm, zeros);
        REQUIRE(native);
        const auto raw = ml_dsa_public(native.get());
        CHECK(raw.size() == v.public_bytes);
        // Its kid there is its thumbprint (section 6), so that the whole key need not stand here.
        const auto pub = encode_base64url(raw);
        const auto members = "{\"alg\":\"" + std::string(v.name) + R"(","kty":"AKP","pub":")" + pub + "\"}";
        CHECK(encode_base64url(from_hex(sha256_hex(members))) == v.kid);

        const auto signer =
            SigningKey::from_jwk(akp_jwk(v.name, pub, R"(,"priv":")" + encode_base64url(zeros) + "\""));
        REQUIRE(signer);
        const auto token = signer->sign("{}").value();
        const auto dot = token.rfind('.');
        const auto signature = bytes_of(token.substr(dot + 1));
        CHECK(signature.size() == v.signature_bytes);
        const auto key = key_from(akp_jwk(v.name, pub));
        CHECK(key.verify(v.algorithm, token.substr(0, dot), signature));
        if (v.algorithm != Algorithm::ML_DSA_44) continue;
        const auto theirs = bytes_of(signature_44);
        CHECK(key.verify(v.algorithm, input_44, theirs));
        CHECK_FALSE(key.verify(v.algorithm, input_44 + "A", theirs));
    }
}

TEST_CASE("an ML-DSA key verifies its own alg and no other") {
    if (!has_ml_dsa()) return;
    for (const auto& v : vectors) {
        CAPTURE(v.name);
        const auto [signer, pub, priv] = made(v.algorithm);
        const auto key = key_from(akp_jwk(v.name, pub));
        CHECK(kty_of(key.type()) == "AKP");
        CHECK(key.algorithms() == AlgorithmSet{v.algorithm});
        CHECK(key.declared_algorithm() == v.algorithm);
        const auto set = parse_jwk_set(signer.public_jwk_set());
        REQUIRE(set);
        CHECK(set->keys.at(0).kid() == "m");
        CHECK_THAT(signer.public_jwk_set(), !Catch::Contains("priv"));
        // The key says which of the three it is; a header that says another changes nothing (RFC 9964 section
        // 3).
        for (const auto& other : vectors)
            if (other.algorithm != v.algorithm)
                CHECK_THAT(wrong_with(akp_jwk(other.name, pub)), Catch::Contains("wrong length"));
    }
}

TEST_CASE("an AKP key that cannot be right is refused with its cause") {
    if (!has_ml_dsa()) return;
    const auto pub = made(Algorithm::ML_DSA_44).pub;
    const std::pair<std::string, const char*> rows[] = {
        {R"({"kty":"AKP","pub":")" + pub + "\"}", "alg is missing"},
        {akp_jwk("ES256", pub), "alg ES256 does not fit its kty"},
        {akp_jwk("HS256", pub), "alg HS256 does not fit its kty"},
        {akp_jwk("SLH-DSA-SHA2-128s", pub), "alg SLH-DSA-SHA2-128s is not supported"},
        {R"({"kty":"AKP","alg":"ML-DSA-44"})", "member pub is missing"},
        {R"({"kty":"AKP","alg":"ML-DSA-44","pub":1})", "member pub is not a string"},
        {akp_jwk("ML-DSA-44", ""), "member pub is not base64url"},
        {akp_jwk("ML-DSA-44", pub + "=="), "member pub is not base64url"},
        {akp_jwk("ML-DSA-44", encode_base64url(bytes_of(pub).substr(1))), "wrong length"},
        {akp_jwk("ML-DSA-44", encode_base64url(bytes_of(pub) + "x")), "wrong length"},
        {ec_jwk(R"(,"alg":"ML-DSA-44")"), "alg ML-DSA-44 does not fit its kty"},
        {okp_jwk(R"(,"alg":"ML-DSA-44")"), "alg ML-DSA-44 does not fit its kty"},
        {akp_jwk("ML-DSA-44", pub, R"(,"use":"enc")"), "use is not sig"}};
    for (const auto& [jwk, fault] : rows) {
        CAPTURE(jwk.substr(0, 60), fault);
        CHECK_THAT(wrong_with(jwk), Catch::Contains(fault));
    }
}

TEST_CASE("a private AKP key is its seed, and the pub beside it is the seed's own") {
    if (!has_ml_dsa()) return;
    const auto one = made(Algorithm::ML_DSA_65), other = made(Algorithm::ML_DSA_65);
    const auto signs = [&](const std::string& pub, const std::string& priv) {
        return SigningKey::from_jwk(akp_jwk("ML-DSA-65", pub, R"(,"priv":")" + priv + "\"")).has_value();
    };
    const auto seed = bytes_of(one.priv);
    CHECK(signs(one.pub, one.priv));
    CHECK_FALSE(signs(other.pub, one.priv));  // section 7.4
    CHECK_FALSE(signs("", one.priv));
    CHECK_FALSE(signs(one.pub, encode_base64url(seed.substr(1))));  // section 7.3
    CHECK_FALSE(signs(one.pub, encode_base64url(seed + "x")));
    CHECK_FALSE(SigningKey::from_jwk(akp_jwk("ML-DSA-65", one.pub)));
}

TEST_CASE("an ML-DSA key in PEM is read like any other, where OpenSSL can") {
    // RFC 9881: a SubjectPublicKeyInfo of id-ml-dsa-44 around the raw key.
    const auto pub = has_ml_dsa() ? bytes_of(made(Algorithm::ML_DSA_44).pub) : std::string(1312, '\x01');
    auto base64 = encode_base64url(from_hex("30820532300b06096086480165030403110382052100") + pub);
    for (char& c : base64) c = c == '-' ? '+' : c == '_' ? '/' : c;
    base64.append((4 - base64.size() % 4) % 4, '=');
    std::string pem = "-----BEGIN PUBLIC KEY-----\n";
    for (std::size_t i = 0; i < base64.size(); i += 64) pem += base64.substr(i, 64) + "\n";
    pem += "-----END PUBLIC KEY-----\n";
    const auto set = parse_pem_keys(pem);
    REQUIRE(set.has_value() == has_ml_dsa());
    if (set) CHECK(set->keys.at(0).algorithms() == AlgorithmSet{Algorithm::ML_DSA_44});
}

}  // namespace
}  // namespace signet::jose
