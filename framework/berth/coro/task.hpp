// A lazy coroutine with one result. It starts when it is awaited (or spawned in a scope), runs on
// the awaiting coroutine's loop and under its stop token, and hands control back by symmetric
// transfer. The task object owns the frame; destroy it before it starts or after it has ended,
// never in between. Parameters are taken by value or refer to what outlives the task.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include <berth/base/frame_pool.hpp>
#include <berth/coro/context.hpp>

namespace berth {

template <typename T = void>
class task;

class task_promise_base;

/// Is told of the end of tasks that nobody awaits one by one (a scope, when_all, when_any).
class task_observer {
 public:
  /// Returns what to resume next. May destroy the ended task's frame.
  virtual std::coroutine_handle<> ended(task_promise_base& promise) noexcept = 0;

 protected:
  ~task_observer() = default;
};

class task_promise_base {
 public:
  static void* operator new(std::size_t bytes) { return frame_pool::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    frame_pool::release(frame, bytes);
  }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept { return transfer{}; }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

  const execution_context& context() const noexcept { return context_; }
  const std::exception_ptr& thrown() const noexcept { return thrown_; }
  std::exception_ptr take_thrown() noexcept { return std::exchange(thrown_, nullptr); }
  std::coroutine_handle<> frame() noexcept {
    return std::coroutine_handle<task_promise_base>::from_promise(*this);
  }

  /// To be resumed when this ends; returns what to resume to start it.
  std::coroutine_handle<> begin(std::coroutine_handle<> continuation,
                                const execution_context& context) noexcept {
    at_end_ = reinterpret_cast<std::uintptr_t>(continuation.address());
    context_ = context;
    return frame();
  }
  /// The same, telling an observer at the end.
  std::coroutine_handle<> begin(task_observer& observer,
                                const execution_context& context) noexcept {
    at_end_ = reinterpret_cast<std::uintptr_t>(&observer) | is_observer;
    context_ = context;
    return frame();
  }

 protected:
  task_promise_base() noexcept {}
  ~task_promise_base() = default;
  void rethrow_if_thrown() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  struct transfer {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      task_promise_base& promise = ended.promise();
      const std::uintptr_t next = promise.at_end_;
      if (next & is_observer)
        return reinterpret_cast<task_observer*>(next - is_observer)->ended(promise);
      return std::coroutine_handle<>::from_address(reinterpret_cast<void*>(next));
    }
    void await_resume() const noexcept {}
  };

  static constexpr std::uintptr_t is_observer = 1;

  // Set by begin, and read by nobody before: a task costs what it must, in time and in size.
  std::uintptr_t at_end_;  // a frame to resume, or an observer to tell: then odd
  union {
    execution_context context_;
  };
  std::exception_ptr thrown_;
};

/// frame() finds the frame from the base of the promise, which holds up to this alignment.
template <typename Promise>
inline constexpr bool has_usual_alignment = alignof(Promise) <= 2 * sizeof(void*);

template <typename T>
class task_promise final : public task_promise_base {
 public:
  inline task<T> get_return_object() noexcept;
  template <typename Value>
  void return_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
  }
  T take() {
    rethrow_if_thrown();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class task_promise<void> final : public task_promise_base {
 public:
  inline task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const { rethrow_if_thrown(); }
};

template <typename T>
class [[nodiscard]] task {
 public:
  using promise_type = task_promise<T>;
  using value_type = T;

  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task& operator=(task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  promise_type& promise() const noexcept { return handle_.promise(); }
  /// Gives the frame away: whoever takes it destroys it.
  promise_type& release() noexcept { return std::exchange(handle_, {}).promise(); }

  auto operator co_await() && noexcept { return awaiter(handle_); }

 private:
  friend promise_type;
  using handle_type = std::coroutine_handle<promise_type>;
  explicit task(handle_type handle) noexcept : handle_(handle) {}

  class awaiter {
   public:
    explicit awaiter(handle_type awaited) noexcept : awaited_(awaited) {}
    bool await_ready() const noexcept { return false; }
    template <has_context Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) const noexcept {
      return awaited_.promise().begin(awaiting, awaiting.promise().context());
    }
    T await_resume() const { return awaited_.promise().take(); }

   private:
    handle_type awaited_;
  };

  handle_type handle_;
};

template <typename T>
task<T> task_promise<T>::get_return_object() noexcept {
  static_assert(has_usual_alignment<task_promise>, "a task gives no over-aligned value");
  return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}

inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}

template <typename T>
inline constexpr bool is_task = false;
template <typename T>
inline constexpr bool is_task<task<T>> = true;

}  // namespace berth
