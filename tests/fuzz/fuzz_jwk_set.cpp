// Any bytes as a key set, as JSON and as PEM: bounded, and every key that is taken is one of ours.
#include "fuzz/fuzz.hpp"
#include "jose/key_set.hpp"

using namespace signet;
using namespace signet::fuzz;

namespace {

void check(const result<jose::KeySet>& set, std::string_view text) {
    if (!set) {
        FUZZ_ASSERT(!set.error().message.empty());
        return;
    }
    FUZZ_ASSERT(text.size() <= jose::max_key_set_bytes);
    FUZZ_ASSERT(!set->keys.empty() && set->keys.size() <= jose::max_keys);
    for (const auto& key : set->keys) {
        FUZZ_ASSERT(key.type() != jose::KeyType::secret);
        FUZZ_ASSERT(!key.algorithms().empty());
        using enum jose::Algorithm;
        FUZZ_ASSERT((key.algorithms() & jose::AlgorithmSet{HS256, HS384, HS512}).empty());
        if (key.declared_algorithm()) FUZZ_ASSERT(key.algorithms().has(*key.declared_algorithm()));
        // Signatures of every length that an algorithm knows, of which none holds.
        for (int i = 0; i < jose::algorithm_count; ++i)
            for (const std::size_t size : {0u, 1u, 64u, 96u, 114u, 132u, 256u, 2420u})
                FUZZ_ASSERT(!key.verify(static_cast<jose::Algorithm>(i), "input",
                                        Exact(std::string(size, '\0')).view()));
    }
    for (const auto& skipped : set->skipped) FUZZ_ASSERT(!skipped.why.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const Exact exact(text);
    check(jose::parse_jwk_set(exact.view()), text);
    check(jose::parse_pem_keys(exact.view()), text);
    return 0;
}
