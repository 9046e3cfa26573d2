// Coroutines of the data plane: a Task is one step that may wait, awaited once by the step that needs it.
//
// A Task starts when it is awaited and runs on the thread of whoever resumes it: a worker's, always the same.
// One that ends without waiting costs a call, and no stack is left behind: loops over such steps are safe
// without tail calls, which no compiler promises under sanitizers. Frames are kept for the next task of their
// size.
//
// A co_await is a statement of its own, or the whole right side of an initialisation or co_return: gcc 12
// evaluates the second half of `co_return a || co_await b` even where a is true, and drops the body of a
// coroutine that has an await in a condition and no local variable. tests/layout/coroutine_test.py looks.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace signet::net {

namespace detail {

// Memory for a coroutine's frame, from what this thread kept or from the heap.
void* take_frame(std::size_t size);
void give_frame(void* frame, std::size_t size) noexcept;

struct PromiseBase {
    static void* operator new(std::size_t size) { return take_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }

    struct Final {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            // While it is being started its awaiter looks for itself.
            if (!ended.promise().starting) ended.promise().awaited_by.resume();
        }
        void await_resume() const noexcept {}
    };
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { failed = std::current_exception(); }

    std::coroutine_handle<> awaited_by;
    std::exception_ptr failed;
    bool starting = false;
};

template <class T>
struct Promise : PromiseBase {
    void return_value(T v) { value = std::move(v); }
    T take() { return std::move(*value); }
    std::optional<T> value;
};

template <>
struct Promise<void> : PromiseBase {
    void return_void() {}
    void take() {}
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
  public:
    struct promise_type : detail::Promise<T> {
        Task get_return_object() { return Task(Handle::from_promise(*this)); }
    };
    using Handle = std::coroutine_handle<promise_type>;

    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (frame_) frame_.destroy();
    }

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> awaiter) {
        auto& promise = frame_.promise();
        promise.awaited_by = awaiter;
        promise.starting = true;
        frame_.resume();
        promise.starting = false;
        return !frame_.done();
    }
    T await_resume() {
        auto& promise = frame_.promise();
        if (promise.failed) std::rethrow_exception(promise.failed);
        return promise.take();
    }

  private:
    explicit Task(Handle frame) : frame_(frame) {}
    Handle frame_;
};

namespace detail {

struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() noexcept { std::terminate(); }  // `done` must not throw
    };
};

}  // namespace detail

// Runs a task with nobody waiting for it; done(exception_ptr) is called at its end, maybe before this
// returns.
template <class Done>
detail::Detached spawn(Task<> task, Done done) {
    std::exception_ptr failed;
    try {
        co_await task;
    } catch (...) {
        failed = std::current_exception();
    }
    done(failed);
}

}  // namespace signet::net
