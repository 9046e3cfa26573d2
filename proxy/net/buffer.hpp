// A flat buffer: bytes come in at the end and leave at the front. Its memory stays until it is released.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace signet::net {

class Buffer {
  public:
    [[nodiscard]] std::string_view bytes() const { return {data_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] std::size_t size() const { return end_ - begin_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

    void consume(std::size_t n) {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    void clear() { begin_ = end_ = 0; }
    void release() {
        data_.reset();
        begin_ = end_ = capacity_ = 0;
    }

    // Room for `want` bytes at least; views into the buffer end here.
    char* prepare(std::size_t want) {
        if (capacity_ - end_ < want) {
            if (capacity_ >= size() + want) {
                std::memmove(data_.get(), data_.get() + begin_, size());
            } else {
                const std::size_t grown = std::max(capacity_ * 2, size() + want);
                std::unique_ptr<char[]> fresh(new char[grown]);
                if (!empty()) std::memcpy(fresh.get(), data_.get() + begin_, size());
                data_ = std::move(fresh);
                capacity_ = grown;
            }
            end_ -= begin_;
            begin_ = 0;
        }
        return data_.get() + end_;
    }
    [[nodiscard]] std::size_t room() const { return capacity_ - end_; }
    void commit(std::size_t n) { end_ += n; }

  private:
    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace signet::net
