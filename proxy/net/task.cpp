#include "net/task.hpp"

#include <array>
#include <cstdlib>
#include <new>

namespace signet::net::detail {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t classes = 0;  // so that the sanitizer sees each frame live and die
#else
constexpr std::size_t classes = 32;
#endif
constexpr std::size_t step = 64;
constexpr std::size_t kept_each = 256;

struct Free {
    Free* next;
};

// What ended tasks of this thread left, by size.
class Frames {
  public:
    ~Frames() {
        for (auto& list : lists_)
            while (list.first != nullptr) ::operator delete(std::exchange(list.first, list.first->next));
    }
    void* take(std::size_t size) {
        const std::size_t at = (size + step - 1) / step;
        if (at >= classes) return ::operator new(size);
        auto& list = lists_[at];
        if (list.first == nullptr) return ::operator new(at* step);
        --list.count;
        return std::exchange(list.first, list.first->next);
    }
    void give(void* frame, std::size_t size) noexcept {
        const std::size_t at = (size + step - 1) / step;
        if (at >= classes || lists_[at].count == kept_each) return ::operator delete(frame);
        auto& list = lists_[at];
        list.first = new (frame) Free{list.first};
        ++list.count;
    }

  private:
    struct List {
        Free* first = nullptr;
        std::size_t count = 0;
    };
    std::array<List, classes + 1> lists_{};
};

thread_local Frames frames;

}  // namespace

void* take_frame(std::size_t size) { return frames.take(size); }
void give_frame(void* frame, std::size_t size) noexcept { frames.give(frame, size); }

}  // namespace signet::net::detail
