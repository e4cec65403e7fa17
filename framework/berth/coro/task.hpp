// A lazy coroutine with one result. It starts when it is awaited (or spawned in a scope), runs on
// the awaiting coroutine's loop and under its stop token, and hands control back by symmetric
// transfer. The task object owns the frame; destroy it before it starts or after it has ended,
// never in between. Parameters are taken by value or refer to objects that outlive the task.
// Awaiting a task that was moved from, or awaited before, throws berth::error.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include <berth/base/error.hpp>
#include <berth/base/frame_pool.hpp>
#include <berth/coro/context.hpp>

namespace berth {

template <typename T = void>
class task;

class task_promise_base;

/// Is notified of the end of tasks that are not awaited one by one (by a scope, when_all,
/// when_any).
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
  void unhandled_exception() noexcept {
    new (&thrown_) std::exception_ptr(std::current_exception());
    state_ |= threw;
  }

  const execution_context& context() const noexcept { return context_; }
  /// What the task threw; null if it threw nothing.
  std::exception_ptr thrown() const noexcept {
    return has_thrown() ? thrown_ : std::exception_ptr();
  }
  bool has_thrown() const noexcept { return state_ & threw; }
  /// Whether it has been awaited, or begun in another way.
  bool has_begun() const noexcept { return state_ & begun; }
  std::coroutine_handle<> frame() noexcept {
    return std::coroutine_handle<task_promise_base>::from_promise(*this);
  }

  /// Sets the coroutine to resume when this ends; returns the one to resume to start it.
  std::coroutine_handle<> begin(std::coroutine_handle<> continuation,
                                const execution_context& context) noexcept {
    continuation_ = continuation;
    state_ = begun;
    context_ = context;
    return frame();
  }
  /// The same, but notifies an observer at the end.
  std::coroutine_handle<> begin(task_observer& observer,
                                const execution_context& context) noexcept {
    observer_ = &observer;
    state_ = begun | observed;
    context_ = context;
    return frame();
  }

 protected:
  task_promise_base() noexcept {}
  ~task_promise_base() {
    if (has_thrown()) thrown_.~exception_ptr();
  }
  void rethrow_if_thrown() const {
    if (has_thrown()) std::rethrow_exception(thrown_);
  }

 private:
  struct transfer {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      task_promise_base& promise = ended.promise();
      if (promise.state_ & observed) return promise.observer_->ended(promise);
      return promise.continuation_;
    }
    void await_resume() const noexcept {}
  };

  enum : std::uint8_t { begun = 1, observed = 2, threw = 4 };

  // Set by begin or by an exception, and not read before: a new task writes only one byte.
  union {
    std::coroutine_handle<> continuation_;
    task_observer* observer_;  // if observed
  };
  union {
    execution_context context_;
  };
  union {
    std::exception_ptr thrown_;  // if threw
  };
  std::uint8_t state_ = 0;
};

/// frame() computes the frame from the base of the promise, which works up to this alignment.
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

[[noreturn]] void throw_misused_task(bool moved_from);

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
  /// Throws berth::error if it cannot be begun: it was moved from, or has been begun already.
  void check_can_begin() const {
    if (!handle_ || promise().has_begun()) [[unlikely]]
      throw_misused_task(!handle_);
  }
  /// Releases the frame, which the caller must destroy.
  promise_type& release() noexcept { return std::exchange(handle_, {}).promise(); }

  auto operator co_await() && {
    check_can_begin();
    return awaiter(handle_);
  }

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
  static_assert(has_usual_alignment<task_promise>, "a task cannot return an over-aligned value");
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
