// An event has happened or not; tasks wait until it has. Setting it wakes all waiting tasks, in the
// order they came; it stays set until it is reset. One thread; destroy it with no task waiting.
#pragma once

#include <berth/base/intrusive_list.hpp>
#include <berth/coro/waiter.hpp>

namespace berth {

class event {
 public:
  class [[nodiscard]] awaiter;

  bool is_set() const noexcept { return set_; }
  void set() noexcept {
    set_ = true;
    while (waiter* const next = waiting_.pop_front()) next->complete_later();
  }
  void reset() noexcept { set_ = false; }

  /// Waits until it is set; a failure `cancelled` or `timed_out` if that comes first.
  inline awaiter wait(deadline until = deadline::never()) noexcept;

 private:
  intrusive_list<waiter> waiting_;
  bool set_ = false;
};

class event::awaiter : private waiter {
 public:
  awaiter(event& awaited, deadline until) noexcept : awaited_(awaited), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (awaited_.set_ && !context.stop.stop_requested()) return ends_at_once(awaiting, context);
    if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
    awaited_.waiting_.push_back(*this);
    return true;
  }
  result<void> await_resume() const noexcept {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    return {};
  }

 private:
  event& awaited_;
  deadline until_;
};

event::awaiter event::wait(deadline until) noexcept { return awaiter(*this, until); }

}  // namespace berth
