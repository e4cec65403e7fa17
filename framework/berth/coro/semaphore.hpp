// Limits how many tasks do something at once: a task takes one of a number of permits and waits,
// first come first served, while there is none. A released permit goes straight to the task that
// has waited longest. A cancelled wait takes none. One thread; destroy it with no task waiting.
#pragma once

#include <cstddef>

#include <berth/base/intrusive_list.hpp>
#include <berth/coro/waiter.hpp>

namespace berth {

class semaphore {
 public:
  explicit semaphore(std::size_t permits) noexcept : free_(permits) {}

  class [[nodiscard]] awaiter;

  /// Waits for a permit and takes it; `cancelled` or `timed_out` if that comes first.
  inline awaiter acquire(deadline until = deadline::never()) noexcept;
  /// Returns false if none is free now.
  bool try_acquire() noexcept {
    if (free_ == 0) return false;
    --free_;
    return true;
  }
  void release(std::size_t permits = 1) noexcept {
    for (; permits > 0; --permits) {
      if (waiter* const next = waiting_.pop_front())
        next->hand_over();
      else
        ++free_;
    }
  }
  std::size_t free() const noexcept { return free_; }

 private:
  std::size_t free_;  // 0 while a task waits
  intrusive_list<waiter> waiting_;
};

class semaphore::awaiter : private waiter {
 public:
  awaiter(semaphore& from, deadline until) noexcept : from_(from), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (!context.stop.stop_requested() && from_.try_acquire())
      return ends_at_once(awaiting, context);
    if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
    from_.waiting_.push_back(*this);
    return true;
  }
  result<void> await_resume() const noexcept {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    return {};
  }

 private:
  bool give_back() noexcept override {
    from_.release();
    return true;
  }

  semaphore& from_;
  deadline until_;
};

semaphore::awaiter semaphore::acquire(deadline until) noexcept { return awaiter(*this, until); }

}  // namespace berth
