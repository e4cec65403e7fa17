// Limits an awaitable to a deadline: it is then cancelled with stop_reason::deadline and awaited.
// The outcome is its value, or a failure `timed_out`. The outcome of an awaitable that gives a
// result<T> is a result<T> too; a value that it gives after the deadline is not lost.
#pragma once

#include <optional>
#include <utility>

#include <berth/base/result.hpp>
#include <berth/coro/as_task.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task_group.hpp>

namespace berth {

template <typename T>
struct timed_value {
  using type = result<T>;
};
template <typename T>
struct timed_value<result<T>> {
  using type = result<T>;
};

template <typename T>
class timeout_awaiter : private task_group, private timer_item {
 public:
  using value_type = typename timed_value<T>::type;

  timeout_awaiter(deadline until, std::optional<std::chrono::nanoseconds> within, task<T> timed)
      : until_(until), within_(within), timed_(std::move(timed)) {}
  timeout_awaiter(timeout_awaiter&& other) noexcept
      : task_group(std::move(other)),
        timer_item(),
        until_(other.until_),
        within_(other.within_),
        timed_(std::move(other.timed_)) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    open(awaiting, awaiting.promise().context());
    if (within_) until_ = deadline::after(loop().now(), *within_);
    if (until_.passed(loop().now()))
      expired();
    else if (!until_.is_never())
      loop().arm(*this, until_.moment());
    start(timed_.promise());
    return close();
  }
  value_type await_resume() {
    if constexpr (is_result<T>) {
      value_type value = timed_.promise().take();
      if (!value && late_) return failure::cancelled(stop_reason::deadline);
      return value;
    } else {
      const auto failed = failure::cancelled(stop_reason::deadline);
      if constexpr (std::is_void_v<T>) {
        timed_.promise().take();
        return late_ ? value_type(failed) : value_type();
      } else {
        T value = timed_.promise().take();
        return late_ ? value_type(failed) : value_type(std::move(value));
      }
    }
  }

 private:
  void expired() noexcept override {
    late_ = true;
    stop(stop_reason::deadline);
  }
  void on_end(task_promise_base&) noexcept override { loop().disarm(*this); }

  deadline until_;
  std::optional<std::chrono::nanoseconds> within_;
  task<T> timed_;
  bool late_ = false;
};

template <typename Awaitable>
auto timeout(deadline until, Awaitable awaitable) {
  return timeout_awaiter<awaited_t<Awaitable>>(until, std::nullopt, as_task(std::move(awaitable)));
}

/// `within` counts from when the timeout is awaited.
template <typename Rep, typename Period, typename Awaitable>
auto timeout(std::chrono::duration<Rep, Period> within, Awaitable awaitable) {
  return timeout_awaiter<awaited_t<Awaitable>>(deadline::never(), saturated(within),
                                               as_task(std::move(awaitable)));
}

}  // namespace berth
