// A flat buffer: bytes come in at the end and leave at the front. Its memory stays until it is released; the
// first block comes from what this thread keeps, so that a connection that waits can do without one.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace signet::net {

namespace detail {

inline constexpr std::size_t block_size = 16 * 1024;
// Memory of block_size bytes, from what this thread kept or from the heap.
char* take_block();
void give_block(char* block) noexcept;

}  // namespace detail

class Buffer {
  public:
    Buffer() = default;
    ~Buffer() { release(); }
    Buffer(const Buffer&) = delete;

    [[nodiscard]] std::string_view bytes() const { return {data_ + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] std::size_t size() const { return end_ - begin_; }

    void consume(std::size_t n) {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    void clear() { begin_ = end_ = 0; }
    void release() {
        free(std::exchange(data_, nullptr), std::exchange(capacity_, 0));
        begin_ = end_ = 0;
    }

    // Room for `want` bytes at least; views into the buffer end here.
    char* prepare(std::size_t want) {
        if (capacity_ - end_ < want) {
            if (capacity_ >= size() + want) {
                std::memmove(data_, data_ + begin_, size());
            } else {
                const std::size_t grown = std::max({capacity_ * 2, size() + want, detail::block_size});
                char* const fresh = grown == detail::block_size ? detail::take_block() : new char[grown];
                if (!empty()) std::memcpy(fresh, data_ + begin_, size());
                free(std::exchange(data_, fresh), std::exchange(capacity_, grown));
            }
            end_ -= begin_;
            begin_ = 0;
        }
        return data_ + end_;
    }
    [[nodiscard]] std::size_t room() const { return capacity_ - end_; }
    void commit(std::size_t n) { end_ += n; }

  private:
    static void free(char* data, std::size_t capacity) {
        if (capacity == detail::block_size)
            detail::give_block(data);
        else
            delete[] data;
    }

    char* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace signet::net
