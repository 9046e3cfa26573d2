#include "net/buffer.hpp"

#include <memory>
#include <vector>

namespace signet::net::detail {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kept = 0;  // so that the sanitizer sees each block live and die
#else
constexpr std::size_t kept = 64;
#endif

// The one used last first: it is still in the cache.
thread_local std::vector<std::unique_ptr<char[]>> blocks;

}  // namespace

char* take_block() {
    if (blocks.empty()) return new char[block_size];
    char* const block = blocks.back().release();
    blocks.pop_back();
    return block;
}

void give_block(char* block) noexcept {
    std::unique_ptr<char[]> owned(block);
    if (blocks.capacity() < kept) blocks.reserve(kept);
    if (blocks.size() < kept) blocks.push_back(std::move(owned));
}

}  // namespace signet::net::detail
