// Runs an awaitable that must finish even if a stop was requested, such as a clean-up: it does not
// see the stop. If it might not end, give it a deadline of its own.
#pragma once

#include <berth/coro/as_task.hpp>
#include <berth/coro/timeout.hpp>

namespace berth {

template <typename T>
class shield_awaiter {
 public:
  explicit shield_awaiter(task<T> shielded) noexcept : shielded_(std::move(shielded)) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    execution_context context;
    context.loop = awaiting.promise().context().loop;
    return shielded_.promise().begin(awaiting, context);
  }
  T await_resume() { return shielded_.promise().take(); }

 private:
  task<T> shielded_;
};

template <typename Awaitable>
auto shield(Awaitable awaitable) {
  return shield_awaiter<awaited_t<Awaitable>>(as_task(std::move(awaitable)));
}

/// The same until a deadline, which cancels it; the outcome is that of `timeout`.
template <typename Awaitable>
auto shield(Awaitable awaitable, deadline until) {
  return shield(timeout(until, std::move(awaitable)));
}

}  // namespace berth
