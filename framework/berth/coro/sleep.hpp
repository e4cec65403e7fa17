// Waits for time to pass. Succeeds when it has; fails with `cancelled` if a stop comes first.
#pragma once

#include <chrono>
#include <optional>

#include <berth/coro/waiter.hpp>

namespace berth {

class [[nodiscard]] sleep_awaiter : private waiter {
 public:
  explicit sleep_awaiter(std::chrono::nanoseconds duration) noexcept : duration_(duration) {}
  explicit sleep_awaiter(deadline until) noexcept : until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (duration_) until_ = deadline::after(context.loop->now(), *duration_);
    return begin(awaiting, context, until_) || ends_at_once(awaiting, context);
  }
  result<void> await_resume() const noexcept {
    if (expired()) return {};
    return failure::cancelled(given_up());
  }

 private:
  std::optional<std::chrono::nanoseconds> duration_;
  deadline until_;
};

template <typename Rep, typename Period>
sleep_awaiter sleep_for(std::chrono::duration<Rep, Period> duration) noexcept {
  return sleep_awaiter(saturated(duration));
}

inline sleep_awaiter sleep_until(deadline until) noexcept { return sleep_awaiter(until); }

}  // namespace berth
