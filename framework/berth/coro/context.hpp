// A task's loop and its stop token. A task gets both from the coroutine that awaits it; `co_await
// current_context()` reads them, for objects that start tasks of their own (a scope).
#pragma once

#include <concepts>
#include <coroutine>

#include <berth/coro/executor.hpp>
#include <berth/coro/stop.hpp>

namespace berth {

struct execution_context {
  executor* loop = nullptr;
  stop_token stop;
};

/// A coroutine type that the awaitables of berth can be awaited in.
template <typename Promise>
concept has_context = requires(Promise& promise) {
  { promise.context() } noexcept -> std::convertible_to<const execution_context&>;
};

class current_context {
 public:
  current_context() noexcept = default;
  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    context_ = awaiting.promise().context();
    return false;
  }
  execution_context await_resume() const noexcept { return context_; }

 private:
  execution_context context_;
};

}  // namespace berth
