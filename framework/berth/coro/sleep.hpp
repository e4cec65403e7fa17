// Waits for time to pass. Success when it has; a failure `cancelled` when a stop came first.
#pragma once

#include <chrono>

#include <berth/coro/waiter.hpp>

namespace berth {

class [[nodiscard]] sleep_awaiter : private waiter {
 public:
  explicit sleep_awaiter(std::chrono::nanoseconds duration) noexcept : duration_(duration) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    return begin(awaiting, context, deadline::after(context.loop->now(), duration_));
  }
  result<void> await_resume() const noexcept {
    if (expired()) return {};
    return failure::cancelled(given_up());
  }

 private:
  std::chrono::nanoseconds duration_;
};

inline sleep_awaiter sleep_for(std::chrono::nanoseconds duration) noexcept {
  return sleep_awaiter(duration);
}

}  // namespace berth
